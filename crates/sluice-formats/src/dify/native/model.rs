//! `llm`: a contract of a model, whose words carry the whole prompt.

use sluice_core::catalogue::Usage;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::gate::Effect;
use sluice_core::text::Span;

use super::super::read::{at, is_on, list, text_at};
use super::{Sight, Writer};
use crate::native::{ActionDraft, Piece, Reached, Refused, Sending, Task, Value, slug};

/// Where a prompt has what was found for it.
const CONTEXT: &str = "{{#context#}}";

impl<'t> Writer<'_, 't> {
    pub(super) fn model(&mut self, i: usize, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let data = self.data(i)?;
        if self.low.app.is_chat && data.get("memory").is_some_and(|memory| !matches!(memory.value, Data::Null)) {
            let what = "a model that remembers earlier messages";
            return Err(self.refuse(i, what, "give it what it needs of them in its prompt"));
        }
        if is_on(data, &["vision", "enabled"]) {
            let help = "ask a model for words about words, or call it as an action of your own";
            return Err(self.refuse(i, "a model that looks at pictures", help));
        }
        if is_on(data, &["structured_output_enabled"]) {
            let help = "ask for a JSON text, and read it in the definition";
            return Err(self.refuse(i, "a model that answers by a schema", help));
        }
        let mut sending = Sending::default();
        let messages = data.get("prompt_template");
        let listed = list(messages);
        let one = messages.filter(|_| listed.is_empty());
        let mut refused = None;
        for message in listed.iter().chain(one) {
            let role = text_at(message, &["role"]).map_or("prompt", AsRef::as_ref);
            match self.message(i, data, message, sight) {
                Ok(value) => {
                    sending.add(role, Some(Usage::Prompt), value);
                }
                Err(gone) => refused = Some(gone),
            }
        }
        if let Some(gone) = refused {
            return Err(gone);
        }
        sending.told.speaks = true;
        sending.told.exact = true;
        let named = |key: &str| text_at(data, &["model", key]).map_or("", AsRef::as_ref);
        let provider = slug(named("provider").rsplit('/').next().unwrap_or_default());
        let connector = if provider.is_empty() { "model".to_owned() } else { provider };
        let id = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        let model: String = named("name").chars().map(id).take(80).collect();
        let model = model.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
        let model = if model.is_empty() { connector.clone() } else { model };
        let draft = ActionDraft { path: "/answer".to_owned(), ..self.draft(i, Effect::Read, &sending) };
        let action = self.desk.contracts.add(&connector, &Reached::Model(model), true, "answer", draft);
        self.call(i, action, sending, sight)
    }

    /// The text of a message of a prompt.
    fn message(&mut self, i: usize, data: &Tree, message: &Tree, sight: &Sight) -> Result<Value, Refused> {
        let is_jinja = text_at(message, &["edition_type"]).is_some_and(|edition| edition.as_ref() == "jinja2");
        if let Some(template) = message.get("jinja2_text").filter(|_| is_jinja) {
            let variables = at(data, &["prompt_config", "jinja2_variables"]);
            return self.template(i, template, variables, sight);
        }
        let Some(tree) = message.get("text") else { return Ok(Value::Constant("".into())) };
        let text = tree.as_text().map_or("", |text| text);
        let mut made = Vec::new();
        for (n, part) in text.split(CONTEXT).enumerate() {
            if n > 0 {
                self.context(i, data, tree.span, sight)?.into_iter().for_each(|piece| piece.push(&mut made));
            }
            self.pieces(i, part, tree.span, sight)?.into_iter().for_each(|piece| piece.push(&mut made));
        }
        self.joined(i, made, tree.span)
    }

    /// What was found for the prompt; nothing where that is switched off.
    fn context(&mut self, i: usize, data: &Tree, span: Span, sight: &Sight) -> Result<Option<Piece>, Refused> {
        if !is_on(data, &["context", "enabled"]) {
            return Ok(None);
        }
        let found = self.selected(i, at(data, &["context", "variable_selector"]), sight)?;
        let found = found.ok_or_else(|| self.unlike(i, span, "a context that names nothing", ""))?;
        self.desk.note("what was found for a prompt stands in it as JSON");
        Ok(Some(Piece::Jq(format!("({found} | tostring)"))))
    }
}
