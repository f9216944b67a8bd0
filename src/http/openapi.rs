//! `openapi.json`, made from the table of routes: what the code does is what it says.

use super::problem::{Code, Document, reason};
use super::route::{Access, Kind, Route, SchemaOf, schema_of};
use super::routes;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// Schemas of what comes in and of what goes out: the same type may be optional in one and given in the other.
struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

/// The description of the API (OpenAPI 3.1).
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let requests = settings.clone().into_generator();
    let mut schemas = Schemas { requests, answers: settings.for_serialize().into_generator() };
    let mut paths: Map<String, Value> = Map::new();
    for route in routes::all() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let method = route.method.as_str().to_ascii_lowercase();
        if let Some(path) = path.as_object_mut() {
            path.insert(method, operation(route, &mut schemas));
        }
    }
    let problem = schema_of::<Document<'static>>(&mut schemas.answers);
    let mut components = schemas.answers.take_definitions(true);
    components.extend(schemas.requests.take_definitions(true));
    components.values_mut().for_each(drop_null_defaults);
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.word()).collect();
    if let Some(code) = components.get_mut("Problem").and_then(|it| it.pointer_mut("/properties/code")) {
        *code = json!({ "type": "string", "enum": codes, "description": "What went wrong, as programs read it." });
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "tagtill",
            "summary": "Sell with a post, buy with a reply.",
            "version": "1",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" }
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": { "Problem": {
                "description": "A problem (RFC 9457).",
                "headers": request_id(),
                "content": { "application/problem+json": { "schema": problem } }
            } },
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } }
        }
    })
}

fn request_id() -> Value {
    json!({ "X-Request-Id": { "schema": { "type": "string" }, "description": "Names the request in the till's log." } })
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "description": who(route),
        "parameters": parameters(route, schemas),
        "responses": responses(route, schemas),
    });
    if let Some(object) = operation.as_object_mut() {
        if let Some(body) = route.request {
            object.insert("requestBody".to_owned(), request_body(route, body, schemas));
        }
        if matches!(route.access, Access::Open | Access::Signed) {
            object.insert("security".to_owned(), json!([{}, { "token": [] }]));
        }
    }
    operation
}

fn who(route: &Route) -> String {
    let kinds = match route.access {
        Access::Open => return "Open on this machine; admins from elsewhere.".to_owned(),
        Access::Signed => return "Whoever signs what it sends.".to_owned(),
        Access::Roles(kinds) => kinds,
    };
    let mut roles = vec!["admin"];
    roles.extend(kinds.iter().map(|kind| match kind {
        Kind::Network => "network:<slug>",
        Kind::Merchant => "merchant:<id>",
        Kind::Processor => "processor",
    }));
    format!("Roles: {}.", roles.join(", "))
}

fn parameters(route: &Route, schemas: &mut Schemas) -> Vec<Value> {
    let mut found: Vec<_> = route
        .path_params()
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    for param in route.query {
        let schema = (param.schema)(&mut schemas.requests);
        found
            .push(json!({ "name": param.name, "in": "query", "description": param.about, "schema": schema }));
    }
    if route.keyed {
        found.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A request with the same key, body, token and path is carried out once.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" }
        }));
    }
    found
}

fn request_body(route: &Route, body: SchemaOf, schemas: &mut Schemas) -> Value {
    let schema = body(&mut schemas.requests);
    let mut content = Map::new();
    content.insert("application/json".to_owned(), json!({ "schema": schema }));
    if route.lines {
        content.insert("application/x-ndjson".to_owned(), lines("One post a line."));
    }
    json!({ "required": !route.body_optional, "content": content })
}

fn responses(route: &Route, schemas: &mut Schemas) -> Value {
    let shape =
        route.response.map_or_else(|| json!({}), |schema| json!({ "schema": schema(&mut schemas.answers) }));
    let mut content = Map::new();
    content.insert(route.produces.to_owned(), shape);
    if route.lines {
        let about =
            "One line a post, in the same order: its answer, or {line, problem} where it is a bad one.";
        content.insert("application/x-ndjson".to_owned(), lines(about));
    }
    let success = json!({ "description": reason(route.status), "headers": request_id(), "content": content });
    let mut all = Map::new();
    all.insert(route.status.to_string(), success);
    for status in failures(route) {
        all.insert(status.to_string(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    all.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
    Value::Object(all)
}

fn lines(about: &str) -> Value {
    json!({ "schema": { "type": "string", "description": about } })
}

/// In an edit, what is left out stays: no field has null for a default.
fn drop_null_defaults(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
            map.values_mut().for_each(drop_null_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_null_defaults),
        _ => {}
    }
}

/// What may go wrong with a call, by what it takes.
fn failures(route: &Route) -> Vec<u16> {
    let writes = route.method != super::Method::Get;
    let mut found =
        vec![Code::InvalidRequest, Code::Unauthorized, Code::Forbidden, Code::Internal, Code::Unavailable];
    if route.path.contains('{') || route.path == "/v1/posts" {
        found.push(Code::NotFound);
    }
    if writes {
        found.push(Code::Conflict);
    }
    if route.request.is_some() {
        found.extend([Code::BodyTooLarge, Code::UnsupportedMediaType, Code::Invalid]);
    }
    let mut statuses: Vec<_> = found.into_iter().map(Code::status).collect();
    statuses.sort_unstable();
    statuses
}
