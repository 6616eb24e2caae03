//! The JSON schema of the requests and answers of the page. `web/types.mjs` makes the types of the
//! page from it, so that the check of the page fails if a field has another name here.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::request::{Answer, Request};

/// Returns one schema with all types that cross between the page and the module.
pub fn all() -> Value {
    let (request, requests) = root::<Request>(SchemaSettings::draft2020_12().for_deserialize());
    let (answer, answers) = root::<Answer>(SchemaSettings::draft2020_12().for_serialize());
    let mut types = requests;
    types.extend(answers);
    types.insert("Request".to_owned(), request);
    types.insert("Answer".to_owned(), answer);
    json!({"title": "Module", "type": "object", "$defs": types})
}

fn root<T: JsonSchema>(settings: SchemaSettings) -> (Value, serde_json::Map<String, Value>) {
    let mut generator = SchemaGenerator::new(settings);
    let schema: Schema = T::json_schema(&mut generator);
    (schema.to_value(), generator.take_definitions(true))
}
