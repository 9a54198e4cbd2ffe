//! The specification of all this, made from the code that answers (OpenAPI 3.1).

use axum::Json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::operations;
use super::problem::Details;
use crate::authzen;

/// The name of the one way in that it tells of; a session of the console is for browsers.
const TOKEN: &str = "token";

/// The specification.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Sluice")
                .version("1")
                .description(Some("What the console shows and takes, for programs; and AuthZEN 1.0.")),
        )
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme(TOKEN, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
                .schema(Details::name(), Details::schema())
                .build(),
        ))
        .build();
    let mut schemas = Vec::new();
    Details::schemas(&mut schemas);
    if let Some(components) = &mut document.components {
        components.schemas.extend(schemas);
    }
    for part in [operations(), authzen::operations()] {
        let mut part = part.into_openapi();
        each(&mut part, |operation| {
            operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, [])]);
        });
        document.merge(part);
    }
    document.merge(authzen::open_operations().into_openapi());
    // Every operation can be refused, and all refusals have one form.
    each(&mut document, |operation| {
        for (status, words) in [("4XX", "It is refused"), ("503", "It cannot be answered now")] {
            operation.responses.responses.insert(status.to_owned(), refusal(words));
        }
    });
    document
}

fn refusal(words: &str) -> RefOr<utoipa::openapi::Response> {
    let schema = RefOr::Ref(Ref::from_schema_name(Details::name()));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(words).content("application/problem+json", content).build().into()
}

fn each(document: &mut OpenApi, mut change: impl FnMut(&mut Operation)) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
        operations.into_iter().flatten().for_each(&mut change);
    }
}

/// Gives it to whoever asks: it tells nothing of this workspace.
pub(super) async fn served() -> Json<OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn the_checked_in_specification_is_the_served_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schemas/openapi.json");
        let made = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(file, &made).unwrap();
        }
        let kept = std::fs::read_to_string(file).unwrap_or_default();
        assert!(kept == made, "docs/schemas/openapi.json is another one; UPDATE_OPENAPI=1 writes it anew");
    }

    #[test]
    fn every_operation_has_a_name_a_summary_and_says_how_it_is_refused() {
        let document = serde_json::to_value(document()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let told = format!("{method} {path}");
                assert!(operation["operationId"].is_string() && operation["summary"].is_string(), "{told}");
                assert!(operation["responses"]["4XX"].is_object(), "{told}");
            }
        }
    }
}
