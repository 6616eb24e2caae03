//! The page has the types of the module.

use eidway_web_module::schema;
use serde_json::Value;

const SCHEMA: &str = include_str!("../../schema.json");

#[test]
fn the_schema_of_the_page_is_that_of_the_types() {
    let known: Value = serde_json::from_str(SCHEMA).expect("JSON");
    assert!(
        known == schema::all(),
        "web/schema.json is old. Run: cargo run -p eidway-web-module --example schema > \
         web/schema.json && (cd web && npm run types)"
    );
}
