//! The codes of contracts and registers: what a readable file says that cannot be meant.

use crate::document::CodeInfo;

macro_rules! codes {
    ($($name:ident = $code:literal $word:literal $help:literal;)*) => {
        $(pub(super) const $name: CodeInfo = CodeInfo { code: $code, name: $word, help: $help };)*
        /// Every code that contracts and registers can give beside those of texts, in order.
        pub const CODES: &[CodeInfo] = &[$($name),*];
    };
}

codes! {
    BAD_TICKET = 419 "bad-ticket" "mark a read: `ticket: { id: ARGUMENT, status: /PATH, open: [STATE], subject: /PATH, requester: /PATH }`";
    BAD_MAIL = 759 "bad-mail-address" "write one address and nothing beside it: `mail: ana@example.com`";
    VERSION = 762 "contract-version" "write `version: 1`, or use a release of Sluice that reads this version";
    BAD_ID = 763 "bad-id" "use ASCII letters, digits, `-`, `_` and `.`, up to 80 of them, starting with a letter or digit";
    UNKNOWN_REFERENCE = 764 "unknown-reference" "add it to its register, or write a name that is there";
    DUPLICATE = 765 "duplicate-name" "give each its own name: gates and ledger tell them apart by it";
    AMBIGUOUS_ENDPOINT = 766 "ambiguous-endpoint" "change one path or method: a call must match exactly one action";
    PLACEMENT = 767 "argument-placement" "place every declared argument once, and place only declared ones";
    BAD_PATTERN = 768 "bad-pattern" "write `\"\"` for all of it or a path such as `/*/name`";
    MISSING_DESTINATION = 769 "missing-destination" "add `destination: <id>`, `destination: { argument: <name> }`, or an argument with `role: destination`";
    BAD_BASE = 770 "bad-base" "write `https://host[:port][/path]`; plain `http` needs `allow_private: true`";
    MODEL_CLAIM = 771 "model-claim" "leave it out: a model's words carry its whole prompt and its own origin";
    BAD_LOOKUP = 772 "bad-lookup" "name an action of this connector whose effect is `read`";
    MISSING_OWNER = 773 "missing-owner" "add `owner:` to the contract: a rule is somebody's rule";
    NOT_OWNED = 774 "not-owned" "let the owner vouch, or add the origin to their `vouches` in the principals register";
    MISSING_FILE = 775 "missing-file" "add it; `sluice init` writes one with comments";
    CONTRADICTION = 776 "contradiction" "remove one of the two";
    BAD_QUANTITY = 777 "bad-quantity" "write sizes as `64KiB` or `1MiB`, times as `500ms`, `30s` or `5m`";
    BAD_KEY = 778 "bad-key" "write the one line of the public key file";
    MISPLACED = 779 "misplaced-key" "remove it: this transport does not use it";
    EMPTY_LIST = 780 "empty-list" "name at least one, or leave the key out";
    MISSING_REQUEST = 781 "missing-request" "say how it is called: `method` and `path`, `statement`, or `file` and `operation`";
    BAD_PLACE = 782 "bad-place" "write a relative path of plain segments, or a pin as `sha256:HEX`";
    BAD_STATEMENT = 783 "bad-statement" "write one statement without comments; its parameters are `:name`";
    BAD_QUORUM = 784 "bad-quorum" "write how many different people must sign, from 1 to 9";
    BAD_COLUMNS = 785 "bad-columns" "list the columns in order: `columns: [id, name]`, each once, none that starts like a formula";
    BAD_VERSION = 786 "bad-version" "name an action of this connector whose effect is `read`, and which takes arguments of this one";
    BAD_PIN = 787 "bad-pin" "let `sluice connector pin NAME` write it: a pin is a definition and the digest of that very definition";
    BAD_ISSUER = 788 "bad-issuer" "write the provider's address as its tokens have it in `iss`: `https://login.example.com`";
    BAD_BUDGET = 789 "bad-budget" "say of what (`each: KIND`, or one of `origin`, `class`, `dataset`, `destination`), and `asks`, `calls` or both";
}
