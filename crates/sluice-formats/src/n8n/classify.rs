//! What kind of data a node brings in, and what it takes along without an expression that says so.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::label::Name;

use super::fields::Field;
use super::lower::Lowering;
use super::parameters::{Leaf, is_expression, text_at};
use super::shell;
use crate::import::Kind;

/// The kinds of sensitive data that a node brings in, as a whole or in some of its fields.
pub(super) fn categories(lowering: &Lowering<'_, '_>, i: usize) -> BTreeSet<Name> {
    let mut found = of_whole(lowering, i);
    found.extend(of_fields(lowering, i).into_values().flatten());
    found
}

/// What single fields of an entry bring in: who writes to a form says who they are in one field, and in another what they
/// want. Of other sources every field is of the kinds that any is.
pub(super) fn of_fields(lowering: &Lowering<'_, '_>, i: usize) -> BTreeMap<Field, BTreeSet<Name>> {
    let mut found = BTreeMap::new();
    let source = lowering.known(i).and_then(|known| known.source.as_ref());
    let is_filled_in = source.is_some_and(|s| matches!(s.kind.as_ref(), "form" | "survey" | "webhook"));
    if !is_entry(lowering, i) || !is_filled_in || !is_told_by_fields(lowering, i) {
        return found;
    }
    let asked = lowering.leaves_of(i);
    let asked = asked.iter().filter(|leaf| asks(leaf)).filter_map(Leaf::text);
    let read = lowering.read_fields.get(i).into_iter().flatten().cloned();
    let fields: BTreeSet<Field> = read.chain(asked.map(|label| Field::named(label.to_string()))).collect();
    let told = |words: &str| {
        let mut told = lowering.catalogue.lexicon().classify(&[words]);
        told.retain(|class| class.as_ref() == "contact_pii");
        told
    };
    // Beside how somebody can be reached, or in a form, a name is a person's.
    let is_form = lowering.leaves_of(i).iter().any(asks);
    let is_person =
        |field: &Field| is_form || fields.iter().any(|f| f.stands_beside(field) && !told(f.name()).is_empty());
    for field in &fields {
        let is_name = field.name().trim().eq_ignore_ascii_case("name") && is_person(field);
        let told = told(if is_name { "full name" } else { field.name() });
        if !told.is_empty() {
            found.insert(field.clone(), told);
        }
    }
    found
}

/// Whether outsiders come in here: at the start, or on a later page of a form.
fn is_entry(lowering: &Lowering<'_, '_>, i: usize) -> bool {
    let source = lowering.known(i).and_then(|known| known.source.as_ref());
    lowering.kind(i) == Kind::Trigger || source.is_some_and(|s| s.kind.as_ref() == "form")
}

/// Whether a parameter is what a form asks for.
fn asks(leaf: &Leaf<'_>) -> bool {
    leaf.key() == "fieldLabel"
}

/// Whether the names of a node's fields say what it brings in.
fn is_told_by_fields(lowering: &Lowering<'_, '_>, i: usize) -> bool {
    lowering.known(i).is_some_and(|known| {
        let others_words = known.source.as_ref().is_some_and(|s| matches!(s.kind.as_ref(), "web_content" | "feed"));
        // The fields of a model's answer are the model's own (`candidates`).
        let is_model = known.sink.as_deref() == Some("llm");
        known.classify_fields && !others_words && !is_model && !lowering.fetches(i)
    })
}

/// The kinds of sensitive data that a node brings in, wherever in its item: the catalogue's, and what the names of its fields
/// say.
pub(super) fn of_whole(lowering: &Lowering<'_, '_>, i: usize) -> BTreeSet<Name> {
    let Some(known) = lowering.known(i) else { return BTreeSet::new() };
    let mut found: BTreeSet<Name> = known.labels.iter().cloned().collect();
    if lowering.kind(i) == Kind::Command && command(lowering, i).is_some_and(|text| shell::shows_logs(&text)) {
        found.insert("infra_telemetry".into());
    }
    if !is_told_by_fields(lowering, i) {
        return found;
    }
    let read = lowering.read_fields.get(i).into_iter().flatten();
    let mut words: BTreeSet<String> = read.map(|field| field.name().to_owned()).collect();
    words.extend(lowering.leaves_of(i).iter().flat_map(named_data));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let told = lowering.catalogue.lexicon().classify(&words);
    let is_http = super::effects::is_http(lowering, i);
    let is_entry = is_entry(lowering, i);
    // How a stranger can be reached is in the fields that say so; what an API answers is data of the kinds that its own fields
    // name.
    let counts = |class: &Name| match class.as_ref() {
        "hr" | "health" | "financial" | "credentials" => true,
        "contact_pii" | "payment_customer" => !is_entry,
        _ => !is_entry && !is_http,
    };
    found.extend(told.into_iter().filter(counts));
    found
}

/// Whether a node sends the item's file where its parameters say nothing else: n8n leaves out what it would be anyway.
fn takes_file(lowering: &Lowering<'_, '_>, i: usize) -> bool {
    let action = lowering.known(i).map(|known| known.action.rsplit('/').next().unwrap_or_default().to_owned());
    let is_off = ["binaryData", "binaryDataUpload"]
        .iter()
        .any(|path| text_at(lowering.parameters(i), path).is_some_and(|text| text == "false"));
    let usual = matches!(
        (lowering.short_type(i), action.as_deref().unwrap_or_default()),
        ("awsTextract" | "mindee", _)
            | ("googleDrive" | "awsS3" | "s3" | "ftp" | "slack" | "box" | "microsoftSharePoint", "upload")
            | ("openAi", "transcribe" | "translate")
            | ("whatsApp", "mediaUpload")
    );
    usual && !is_off
}

/// The command that a node runs, as it is written.
pub(super) fn command(lowering: &Lowering<'_, '_>, i: usize) -> Option<String> {
    text_at(lowering.parameters(i), "command")
}

/// The words of a parameter that names tables, columns or statements.
fn named_data(leaf: &Leaf<'_>) -> Vec<String> {
    const TELLING: [&str; 20] = [
        "table",
        "sheetname",
        "columns",
        "column",
        "schema",
        // What a document or a base is called, beside its id.
        "documentid",
        "databaseid",
        "base",
        "lookupcolumn",
        "query",
        "sqlquery",
        "collection",
        "fieldid",
        "fieldname",
        "columnid",
        "keyname",
        "returnfields",
        // What a form asks for is what it brings in.
        "fieldlabel",
        "formtitle",
        "formdescription",
    ];
    let segments = leaf.segments();
    let is_telling = segments.iter().any(|s| TELLING.contains(&s.to_lowercase().as_str()));
    let is_aside = matches!(leaf.key(), "cachedResultUrl" | "mode" | "type" | "displayName");
    let Some(text) = leaf.text().filter(|text| is_telling && !is_aside && !is_expression(text)) else {
        return Vec::new();
    };
    let parts = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let mut words: Vec<String> = parts.filter(|w| !w.is_empty()).map(str::to_owned).collect();
    words.push(text.to_string());
    words.push(leaf.key().to_owned());
    words
}

/// Whether a node takes its whole item along: it maps columns by itself, or sends a file.
pub(super) fn sends_item(lowering: &Lowering<'_, '_>, i: usize) -> bool {
    // A service that reads documents is sent them, and changes nothing.
    let is_sent = lowering.known(i).is_some_and(|known| known.sink.is_some());
    if !is_sent && !lowering.changes_something(i) {
        return false;
    }
    let parameters = lowering.parameters(i);
    let says = |path: &str, wanted: &[&str]| text_at(parameters, path).is_some_and(|t| wanted.contains(&t.as_str()));
    let maps = says("columns.mappingMode", &["autoMapInputData"])
        || says("dataMode", &["autoMapInputData", "autoMap"])
        || says("dataToSend", &["autoMapInputData"])
        || says("fieldsToSend", &["all"])
        || says("inputDataMode", &["autoMap"])
        || says("addAllFields", &["true"]);
    let leaves = lowering.leaves_of(i);
    let sends_file = leaves.iter().any(|leaf| {
        let key = leaf.key().to_lowercase();
        let named = key.contains("binary") || key == "inputdatafieldname" || key == "attachments";
        named && leaf.text().is_some_and(|t| !t.is_empty() && t.as_ref() != "false")
            || key.contains("binary") && matches!(leaf.tree.value, sluice_core::document::Data::Bool(true))
    });
    // Early versions of tables and databases name no columns at all: they write what comes in.
    let short = lowering.short_type(i);
    let early = matches!(
        (short, lowering.version(i) < 2.0),
        ("airtable" | "postgres" | "mySql" | "googleSheets" | "supabase" | "microsoftSql", true)
    );
    let writes = lowering.known(i).is_some_and(|k| {
        let action = k.action.rsplit('/').next().unwrap_or_default();
        matches!(action, "append" | "insert" | "update" | "upsert" | "create" | "appendOrUpdate")
    });
    maps || sends_file
        || takes_file(lowering, i)
        || early && writes && parameters.is_none_or(|p| p.get("fieldsUi").is_none())
}
