use super::*;

#[test]
fn every_built_in_file_is_read_without_an_error() {
    let texts: Vec<Text> = FILES.iter().map(|(name, content)| Text::new(*name, *content)).collect();
    let errors = NodeCatalogue::default().layered(&texts).err().unwrap_or_default();
    let lines: Vec<String> =
        errors.iter().map(|e| format!("{} {}:{} {}", e.code, e.span.line, e.span.column, e.message)).collect();
    assert_eq!(lines, [""; 0]);
}
