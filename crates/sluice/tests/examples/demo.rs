//! What the demo writes is what stands under `examples/`, with its own addresses and keys.

use std::collections::BTreeMap;

use sluice::demo::services::directory::PEOPLE;
use sluice::demo::workspaces::{PLACEHOLDERS, SECRETS, Story};
use sluice_core::contract::Governance;
use sluice_core::contract::connector::Transport;

use super::folders::{Files, example};

const STORIES: [(Story, &str); 2] = [(Story::Report, "report"), (Story::Ticket, "ticket")];

fn embedded(story: Story) -> Files {
    story.files().into_iter().map(|(path, text)| (path, text.to_owned())).collect()
}

fn read<T: AsRef<str>>(files: &[(String, T)]) -> Governance {
    let files = files.iter().map(|(path, text)| (path.as_str(), text.as_ref().as_bytes()));
    Governance::read(files).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn the_demo_embeds_every_file_of_its_examples() {
    for (story, name) in STORIES {
        let mut expected = example(name);
        expected.remove("README.md");
        let embedded = embedded(story);
        assert_eq!(embedded.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        assert!(embedded == expected, "{name}");
    }
}

#[test]
fn everybody_of_the_directory_is_in_the_register_with_their_manager() {
    for (story, name) in STORIES {
        let principals = read(&story.files()).registers.principals;
        assert_eq!(principals.persons.entries.len(), PEOPLE.len(), "{name}");
        for person in PEOPLE {
            let entry = principals.persons.get(person.id).unwrap_or_else(|| panic!("{name}: {}", person.id));
            assert_eq!(entry.name.as_deref(), Some(person.name), "{name}");
            assert_eq!(principals.manager_of(person.id).map(AsRef::as_ref), person.manager, "{name}: {}", person.id);
        }
    }
}

#[test]
fn addresses_and_keys_take_the_place_of_what_stands_for_them() {
    for (story, name) in STORIES {
        let addresses: BTreeMap<&str, String> = (0_u16..)
            .zip(PLACEHOLDERS)
            .map(|(i, (service, _))| (service, format!("http://127.0.0.1:{}", 40_000 + i)))
            .collect();
        let keys: BTreeMap<&str, String> =
            (1_u8..).zip(PEOPLE).map(|(i, person)| (person.id, public_key_line(person.id, i))).collect();
        let filled = story.filled(&addresses, &keys);
        assert!(!filled.iter().any(|(_, text)| text.contains("127.0.0.1:70")), "{name} keeps a placeholder");
        let governance = read(&filled);
        for contract in &governance.contracts {
            let http = match &contract.transport {
                Transport::Http(http) | Transport::Model { http, .. } => http,
                other => panic!("{name}: {other:?}"),
            };
            assert!(addresses.values().any(|a| **a == *http.base.value), "{name}: {}", http.base.value);
            let secret = &contract.credential.as_ref().unwrap().secret.value;
            assert!(SECRETS.iter().any(|(_, known)| *known == secret.as_ref()), "{name}: {secret}");
        }
        for person in governance.registers.principals.persons.entries.values() {
            assert_eq!(person.value.keys.len(), 1, "{name}");
        }
    }
}

/// A key that the register accepts; nobody holds its secret half.
fn public_key_line(person: &str, seed: u8) -> String {
    sluice_core::contract::key::SecretKey::from_seed(person, [seed; 32]).public().to_line(person)
}
