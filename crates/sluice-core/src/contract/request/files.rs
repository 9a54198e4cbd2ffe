//! The request of an action on a file: its name, what is done, and under which columns rows are written.

use std::collections::BTreeSet;

use super::{Action, Places};
use crate::contract::codes::{BAD_COLUMNS, BAD_PATTERN, MISPLACED, PLACEMENT};
use crate::contract::connector::{FileFormat, FileOperation, Formulas, Placement, Request, RowLayout};
use crate::contract::read::{Located, names, text};
use crate::diagnostic::Diagnostic;
use crate::document::{Data, Fields, Node};
use crate::label::Name;
use crate::text::Span;

/// The argument that holds what is written.
const ROWS: &str = "rows";

/// What is done to a file, before it is known how its rows look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Read,
    Append,
    Replace,
}

impl Action<'_> {
    pub(super) fn files(
        &mut self,
        fields: &mut Fields<'_>,
        request: Span,
        format: FileFormat,
        out: &mut Vec<Diagnostic>,
    ) -> Option<Request> {
        let deeds = [("read", Deed::Read), ("append", Deed::Append), ("replace", Deed::Replace)];
        let deed = fields.required("operation", out).and_then(|n| n.expect_word("operation", &deeds, out));
        let file = fields.required("file", out).and_then(|n| text(n, "file", out));
        let (columns, formulas) = (fields.optional("columns"), fields.optional("formulas"));
        let (deed, file) = (deed?, file?);
        if file.value.split('/').any(|s| matches!(s, "" | "." | "..")) || file.value.contains('\\') {
            out.push(BAD_PATTERN.at(file.span, format!("`{}` must be a plain path inside the folder", file.value)));
        }
        for parameter in braces(&file.value) {
            self.place(&mut Places::default(), &Located::new(parameter.into(), file.span), Placement::Path, out);
            self.require(parameter);
        }
        self.place_rows(&file.value, deed, request, out);
        let operation = match (deed, format) {
            (Deed::Append | Deed::Replace, FileFormat::Csv) => {
                let layout = csv(columns, formulas, request, out)?;
                if deed == Deed::Append { FileOperation::Append(layout) } else { FileOperation::Replace(layout) }
            }
            (Deed::Read, _) | (_, FileFormat::JsonLines) => {
                for node in [columns, formulas].into_iter().flatten() {
                    out.push(MISPLACED.at(node.span, "only what writes CSV names columns and formulas"));
                }
                match deed {
                    Deed::Read => FileOperation::Read(format),
                    Deed::Append => FileOperation::Append(RowLayout::JsonLines),
                    Deed::Replace => FileOperation::Replace(RowLayout::JsonLines),
                }
            }
        };
        Some(Request::Files { file: file.value, operation })
    }

    /// What the file's name does not hold must be the rows, and what writes must have them.
    fn place_rows(&mut self, file: &str, deed: Deed, request: Span, out: &mut Vec<Diagnostic>) {
        let in_name: BTreeSet<&str> = braces(file).collect();
        let is_content = |name: &str| deed != Deed::Read && name == ROWS;
        for (name, argument) in self.arguments.iter().filter(|(name, _)| !in_name.contains(name.as_ref())) {
            if !is_content(name) {
                let message =
                    format!("`{name}` has no place: the file's name does not hold it, and only `rows` is written");
                out.push(PLACEMENT.at(argument.span, message));
            }
        }
        if deed == Deed::Read {
            return;
        }
        if !self.declared.contains(ROWS) {
            out.push(PLACEMENT.at(request, "what writes a file has the argument `rows`, and it is not declared"));
        } else if in_name.contains(ROWS) {
            out.push(PLACEMENT.at(request, "`rows` has two places: the file's name and its content"));
        }
        self.require(ROWS);
    }

    fn require(&mut self, name: &str) {
        if let Some(argument) = self.arguments.get_mut(name) {
            argument.value.required = true;
        }
    }
}

fn csv(columns: Option<&Node>, formulas: Option<&Node>, request: Span, out: &mut Vec<Diagnostic>) -> Option<RowLayout> {
    let words = [("quote", Formulas::Quote), ("keep", Formulas::Keep)];
    let formulas = formulas.map_or(Some(Formulas::Quote), |n| n.expect_word("formulas", &words, out));
    let Some(node) = columns else {
        out.push(BAD_COLUMNS.at(request, "CSV cannot be written without `columns`"));
        return None;
    };
    if matches!(&node.value, Data::List(items) if items.is_empty()) {
        out.push(BAD_COLUMNS.at(node.span, "`columns` lists nothing"));
    }
    let columns = names(Some(node), "columns", out);
    let mut seen = BTreeSet::new();
    for column in &columns {
        check_column(column, &mut seen, out);
    }
    Some(RowLayout::Csv { columns: columns.into_iter().map(|column| column.value).collect(), formulas: formulas? })
}

fn check_column<'a>(column: &'a Located<Name>, seen: &mut BTreeSet<&'a str>, out: &mut Vec<Diagnostic>) {
    let mut refuse = |why: &str| {
        out.push(BAD_COLUMNS.at(column.span, format!("the column `{}` {why}", column.value.escape_debug())));
    };
    if !seen.insert(&column.value) {
        refuse("is listed twice");
    }
    if column.value.chars().any(char::is_control) || column.value.trim() != column.value.as_ref() {
        refuse("has blanks around it or characters that cannot be seen");
    }
    // The names are written as they are, so none may be what a spreadsheet runs.
    if column.value.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        refuse("starts like a formula");
    }
}

/// `{argument}` anywhere in a file name.
fn braces(file: &str) -> impl Iterator<Item = &str> {
    file.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0))
}
