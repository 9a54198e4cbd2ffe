//! Text, program, expressions, labels, contracts.
