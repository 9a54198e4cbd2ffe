//! jaq itself, the oracle.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data};
use jaq_json::{Num, Val};
use serde_json::Value as Json;

/// The first output of jaq for a program, `null` if there is none; `Err` if jaq fails. No answer if jaq
/// does not know the program, or gives what no JSON of ours can hold.
pub(super) fn first(program: &str, input: &Json) -> Option<Result<Json, String>> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let modules = Loader::new(defs).load(&arena, File { code: program, path: () }).ok()?;
    let filter = Compiler::default().with_funs(funs).compile(modules).ok()?;
    let ctx = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let output = filter.id.run((ctx, to_jaq(input))).map(jaq_core::unwrap_valr).next();
    match output {
        None => Some(Ok(Json::Null)),
        Some(Ok(value)) => Some(Ok(from_jaq(&value)?)),
        Some(Err(error)) => Some(Err(error.to_string())),
    }
}

fn to_jaq(json: &Json) -> Val {
    match json {
        Json::Null => Val::Null,
        Json::Bool(b) => Val::Bool(*b),
        Json::Number(n) => match n.as_i64() {
            Some(i) => Val::from(isize::try_from(i).unwrap()),
            None => Val::from(n.as_f64().unwrap()),
        },
        Json::String(s) => Val::from(s.clone()),
        Json::Array(items) => items.iter().map(to_jaq).collect(),
        Json::Object(fields) => Val::obj(fields.iter().map(|(k, v)| (Val::from(k.clone()), to_jaq(v))).collect()),
    }
}

fn from_jaq(value: &Val) -> Option<Json> {
    Some(match value {
        Val::Null => Json::Null,
        Val::Bool(b) => (*b).into(),
        Val::Num(Num::Int(i)) => i64::try_from(*i).ok()?.into(),
        Val::Num(Num::Float(f)) => Json::Number(serde_json::Number::from_f64(*f)?),
        // A decimal literal that went through untouched; ours are floats.
        Val::Num(Num::Dec(text)) => Json::Number(serde_json::Number::from_f64(text.parse().ok()?)?),
        Val::Num(Num::BigInt(_)) | Val::BStr(_) => return None,
        Val::TStr(bytes) => String::from_utf8(bytes.to_vec()).ok()?.into(),
        Val::Arr(items) => items.iter().map(from_jaq).collect::<Option<Vec<_>>>()?.into(),
        Val::Obj(fields) => {
            let field = |(key, value): (&Val, &Val)| match from_jaq(key)? {
                Json::String(key) => Some((key, from_jaq(value)?)),
                _ => None,
            };
            Json::Object(fields.iter().map(field).collect::<Option<_>>()?)
        }
    })
}

/// Equal with the order of keys, and with the kind of numbers.
pub(super) fn same(a: &Json, b: &Json) -> bool {
    let [a, b] = [a, b].map(ToString::to_string);
    a == b
}
