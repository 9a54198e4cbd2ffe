//! The style and the script, under names that change with their content.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use sluice_core::contract::Digest;
use sluice_core::contract::digest::to_hex;
use sluice_render::draw::page_style;

const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/console.js");
const SIGN: &str = include_str!("assets/sign.svg");

/// A file that pages refer to.
pub(crate) struct Asset {
    /// Its name, with a part of its digest.
    pub(crate) name: String,
    kind: &'static str,
    content: String,
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, content: String) -> Self {
        let digest: String = to_hex(&Digest::of(content.as_bytes()).0).chars().take(12).collect();
        Self { name: format!("{stem}-{digest}.{ending}"), kind, content }
    }
}

/// The style of all pages, with that of pictures.
pub(crate) static CSS: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style", "css", "text/css; charset=utf-8", format!("{STYLE}{}", page_style())));
/// The one script.
pub(crate) static JS: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "js", "text/javascript; charset=utf-8", SCRIPT.to_owned()));
/// The sign in a browser's tab.
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| Asset::new("sign", "svg", "image/svg+xml", SIGN.to_owned()));

/// Gives one of them. What its name says never changes, so browsers may keep it.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    let found = [&CSS, &JS, &ICON].into_iter().find(|asset| asset.name == name);
    match found {
        Some(asset) => {
            let headers = [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
            (headers, asset.content.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
