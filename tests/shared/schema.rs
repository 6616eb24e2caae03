//! Checks JSON against the schemas of `eidway schema`. The check knows only the words of JSON
//! Schema that these schemas use, and it is stricter: a field that its schema does not name is
//! wrong.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test program uses a part")]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use eidway::watch::schema::DOCUMENTS;
use serde_json::Value;

/// A schema, and the name that `eidway schema` lists.
pub struct Named {
    /// The name.
    pub name: &'static str,
    schema: Value,
}

/// The schemas, by their titles. The title is the name of the Rust type.
static SCHEMAS: LazyLock<BTreeMap<String, Named>> = LazyLock::new(|| {
    let named = DOCUMENTS.iter().map(|document| {
        let schema = document.schema().to_value();
        (schema["title"].as_str().unwrap().to_owned(), Named { name: document.name, schema })
    });
    let schemas: BTreeMap<_, _> = named.collect();
    assert_eq!(schemas.len(), DOCUMENTS.len(), "two schemas have one title");
    schemas
});

/// Finds a schema by its title.
pub fn titled(title: &str) -> &'static Named {
    SCHEMAS.get(title).unwrap_or_else(|| panic!("{title} is missing in src/watch/schema.rs"))
}

/// Finds a schema by its name.
pub fn named(name: &str) -> &'static Named {
    SCHEMAS.values().find(|schema| schema.name == name).unwrap()
}

impl Named {
    /// Checks a JSON text. Returns the errors, each with its place in the JSON.
    pub fn errors(&self, json: &str) -> Vec<String> {
        errors(&self.schema, &serde_json::from_str(json).unwrap())
    }
}

/// Checks a value against a schema. Returns the errors, each with its place in the value.
pub fn errors(schema: &Value, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    check(schema, schema, value, "", &mut errors);
    errors
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => panic!("{name} is not a type"),
    }
}

fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let mut errors = Vec::new();
    check(root, schema, value, "", &mut errors);
    errors.is_empty()
}

/// Checks `value`, which stands at the place `at`, against `schema`.
fn check(root: &Value, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
    let words = match schema {
        Value::Bool(true) => return,
        Value::Bool(false) => return errors.push(format!("{at}: not in the schema")),
        _ => schema.as_object().unwrap(),
    };
    for (word, rule) in words {
        match word.as_str() {
            "$ref" => {
                let target = root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap();
                // A variant of an enum has the properties of the target, and its own.
                let mut rest = value.clone();
                if let (Some(own), Some(fields)) = (words.get("properties"), rest.as_object_mut()) {
                    fields.retain(|name, _| own.get(name).is_none());
                }
                check(root, target, &rest, at, errors);
            }
            "items" | "prefixItems" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    let rule = if word == "items" { rule } else { &rule[index] };
                    check(root, rule, item, &format!("{at}/{index}"), errors);
                }
            }
            "properties" | "additionalProperties" => {
                let is_closed =
                    !words.contains_key("additionalProperties") && !words.contains_key("$ref");
                for (name, field) in value.as_object().into_iter().flatten() {
                    let at = format!("{at}/{name}");
                    match (word == "properties", schema["properties"].get(name)) {
                        (true, Some(rule)) => check(root, rule, field, &at, errors),
                        (true, None) if is_closed => {
                            errors.push(format!("{at}: not in the schema"))
                        }
                        (false, None) => check(root, rule, field, &at, errors),
                        (true, None) | (false, Some(_)) => {}
                    }
                }
            }
            word if keeps(root, word, rule, value) => {}
            _ => errors.push(format!("{at}: {value} breaks {word} {rule}")),
        }
    }
}

/// Whether `value` keeps a rule that is not about the parts of the value.
fn keeps(root: &Value, word: &str, rule: &Value, value: &Value) -> bool {
    let count = || value.as_array().map(|items| items.len() as u64);
    match word {
        "$schema" | "$defs" | "title" | "description" | "format" => true,
        "type" => match rule {
            Value::Array(types) => {
                types.iter().any(|name| is_of_type(value, name.as_str().unwrap()))
            }
            _ => is_of_type(value, rule.as_str().unwrap()),
        },
        "const" => value == rule,
        "enum" => rule.as_array().unwrap().contains(value),
        "anyOf" => rule.as_array().unwrap().iter().any(|one| fits(root, one, value)),
        "oneOf" => {
            rule.as_array().unwrap().iter().filter(|one| fits(root, one, value)).count() == 1
        }
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "minItems" => count().is_none_or(|count| count >= rule.as_u64().unwrap()),
        "maxItems" => count().is_none_or(|count| count <= rule.as_u64().unwrap()),
        "required" => value.as_object().is_none_or(|object| {
            rule.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))
        }),
        _ => panic!("this check does not know the word {word}"),
    }
}
