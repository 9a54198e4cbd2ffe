//! The catalogue's files, embedded; a test compares the list with the folder.

macro_rules! files {
    ($($name:literal)*) => {
        /// Name and content of every file under `connectors/n8n`.
        pub const FILES: &[(&str, &str)] = &[$((
            concat!("connectors/n8n/", $name),
            include_str!(concat!("../../../../../connectors/n8n/", $name)),
        )),*];
    };
}

files! {
    "ai-agents-tools.yaml"
    "fields.yaml"
    "flow-core.yaml"
    "google.yaml"
    "http-web.yaml"
    "messaging.yaml"
    "patterns.yaml"
    "triggers.yaml"
}
