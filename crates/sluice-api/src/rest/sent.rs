//! What a caller sends, read strictly: a body, what stands behind the question mark, a part of the path.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::request::Parts;
use futures_util::StreamExt as _;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sluice_core::limits::TEXT_BYTES_MAX;

use super::problem::Problem;

/// Most bytes of a body: the longest definition, with every character of it escaped once.
pub(crate) const BODY_BYTES_MAX: usize = 2 * TEXT_BYTES_MAX + (64 << 10);

/// How much of a body that is too long is heard to its end.
const HEARD_BYTES_MAX: usize = 4 * BODY_BYTES_MAX;

/// A JSON body.
pub(crate) struct Sent<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let why = "the body is sent as `application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, 474, why));
        }
        let bytes = whole(request).await?;
        serde_json::from_slice(&bytes)
            .map(|Object(body)| Self(body))
            .map_err(|error| Problem::malformed(format!("the body: {error}")))
    }
}

/// Whether a body says that it is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// A body that is not too long. Of one that is, somewhat more is read and thrown away: whoever is still sending hears nothing.
pub(crate) async fn whole(request: Request) -> Result<Vec<u8>, Problem> {
    let mut chunks = request.into_body().into_data_stream();
    let (mut body, mut read) = (Vec::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::malformed("the body broke off"))?;
        read = read.saturating_add(chunk.len());
        if read <= BODY_BYTES_MAX {
            body.extend_from_slice(&chunk);
        } else if read > HEARD_BYTES_MAX {
            break;
        }
    }
    if read > BODY_BYTES_MAX {
        let why = format!("a body has at most {BODY_BYTES_MAX} bytes");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, 475, why));
    }
    Ok(body)
}

/// What is written as an object. Left to itself, serde takes a list for one, too: the fields' values in order.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

/// An object in a body.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(inner)| inner)
}

/// An object in a body that may be missing.
pub(crate) fn maybe<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let read = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(read.map(|Object(inner)| inner))
}

/// A list of objects in a body that may be missing.
pub(crate) fn maybe_all<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let read = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(read.map(|all| all.into_iter().map(|Object(inner)| inner).collect()))
}

/// What stands behind the question mark.
pub(crate) struct Wanted<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Wanted<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        read.map(|Query(wanted)| Self(wanted)).map_err(|error| Problem::malformed(error.body_text()))
    }
}

/// The one part of the path that differs.
pub(crate) struct At(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        read.map(|Path(at)| Self(at)).map_err(|error| Problem::malformed(error.body_text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Point {
        x: u8,
        #[serde(default, deserialize_with = "maybe")]
        next: Option<Box<Point>>,
    }

    #[test]
    fn a_list_is_no_object_and_a_field_is_said_once() {
        let read = |text: &str| serde_json::from_str::<Object<Point>>(text).map(|Object(point)| point);
        let point = read(r#"{"x":1,"next":{"x":2,"next":null}}"#).unwrap();
        assert_eq!((point.x, point.next.map(|next| next.x)), (1, Some(2)));
        for wrong in ["[1,null]", r#"{"x":1,"next":[2,null]}"#, r#"{"x":1,"x":2}"#, "null", "1", "\"x\""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
