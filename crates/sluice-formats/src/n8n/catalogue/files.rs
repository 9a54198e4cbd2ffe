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
    "ai-models.yaml"
    "crm-sales.yaml"
    "databases.yaml"
    "dev-tools.yaml"
    "fields.yaml"
    "files-storage.yaml"
    "finance.yaml"
    "flow-core.yaml"
    "google-other.yaml"
    "google.yaml"
    "hosts.yaml"
    "hr-identity.yaml"
    "http-web.yaml"
    "marketing-social.yaml"
    "messaging-other.yaml"
    "messaging.yaml"
    "microsoft.yaml"
    "patterns.yaml"
    "project-management.yaml"
    "triggers.yaml"
    "web-search.yaml"
}
