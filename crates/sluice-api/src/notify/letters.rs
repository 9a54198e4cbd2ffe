//! A letter to one person.

use sluice_connectors::mail::{MailError, Relay};

use super::{Event, Notice, Unsent, link};
use crate::house::House;

/// Writes to the one whom the notice is for, if the register knows an address of theirs.
pub(super) async fn send(relay: &Relay, house: &House, event: Event, notice: &Notice<'_>) -> Result<(), Unsent> {
    let workspace = house.workspace().map_err(Unsent::ForNow)?;
    let persons = &workspace.principals().persons;
    let address = notice.people.first().and_then(|name| persons.get(name)).and_then(|person| person.mail.as_ref());
    let Some(address) = address else {
        return Err(Unsent::ForGood("the register has no `mail` of theirs".to_owned()));
    };
    let (subject, text) = letter(event, &notice.about.id, &notice.about.requester, &link(house, notice.about));
    match relay.send(&address.value, &subject, text).await {
        Ok(()) => Ok(()),
        Err(MailError::NotNow(why)) => Err(Unsent::ForNow(why)),
        Err(error) => Err(Unsent::ForGood(error.to_string())),
    }
}

/// What it is about, and the letter. Ids are of the plain letters that registers and the ledger allow.
fn letter(event: Event, approval: &str, requester: &str, link: &str) -> (String, String) {
    let (subject, first) = match event {
        Event::Asked => {
            (format!("{approval} waits for you"), format!("{requester} asks for something that you may decide."))
        }
        Event::Reminder => (
            format!("{approval} still waits for you"),
            format!("{requester} asked for something that you may decide, and nobody has decided it yet."),
        ),
        Event::GlassBroken => (
            format!("the glass was broken for {approval}"),
            format!(
                "Somebody broke the glass for what {requester} asked. Please look at it: until one of you has closed the review, nobody can break it again."
            ),
        ),
    };
    let text = format!(
        "{first}\n\n    {link}\n\nWhy, and with which data, stands on that page and nowhere else. Nothing is decided by a letter, and no link in one decides.\n"
    );
    (format!("Sluice: {subject}"), text)
}
