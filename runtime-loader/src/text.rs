//! Tables and words for people. Plain text, no colours, no control characters from outside.

/// Rows as aligned columns, the first row a heading; the columns in `right` are numbers.
pub fn table(rows: &[Vec<String>], right: &[usize]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|t| t.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (c, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let width = *width;
            line += &if right.contains(&c) { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

/// Characters that a terminal does not show as themselves: controls, and what hides text or changes its order.
pub fn unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{061C}' | '\u{FEFF}')
}

/// Bytes from the kernel as text: nothing unseen, odd bytes as `\xNN`.
pub fn clean(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if unseen(c) { out.extend(c.escape_default()) } else { out.push(c) }
        }
        for b in chunk.invalid() {
            out += &format!("\\x{b:02x}");
        }
    }
    out
}

/// Bytes from the kernel as one word of a line: as they are where nobody can take them for more or for other words, else in
/// quotes, with what is unseen or odd as in a string of Rust's.
pub fn word(bytes: &[u8]) -> String {
    let plain = |c: char| !(unseen(c) || c.is_whitespace() || matches!(c, '"' | '\'' | '\\'));
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && text.chars().all(plain) => return text.to_owned(),
        _ => {}
    }
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                c if unseen(c) || (c != ' ' && c.is_whitespace()) => out.extend(c.escape_default()),
                c => out.push(c),
            }
        }
        for b in chunk.invalid() {
            out += &format!("\\x{b:02x}");
        }
    }
    out.push('"');
    out
}

/// Nanoseconds since 1970 as `2026-01-31T12:34:56.789Z`.
pub fn time(nanoseconds: u64) -> String {
    let (seconds, millis) = (nanoseconds / 1_000_000_000, nanoseconds / 1_000_000 % 1000);
    let (days, day) = (seconds / 86400, seconds % 86400);
    // Days since 1970-01-01 to a date: years start in March, so that leap days come last.
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1460 + doe / 36524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (d, m) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let y = yoe + era * 400 + u64::from(m <= 2);
    format!("{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}.{millis:03}Z", day / 3600, day / 60 % 60, day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [vec!["A".to_owned(), "N".to_owned()], vec!["long".to_owned(), "12".to_owned()]];
        assert_eq!(table(&rows, &[1]), "A      N\nlong  12\n");
    }

    #[test]
    fn no_control_characters_get_out() {
        assert_eq!(clean(b"a\x1b[2J\xffb"), "a\\u{1b}[2J\\xffb");
        // nor what shows the rest of a line backwards
        assert_eq!(clean("a\u{202e}b".as_bytes()), "a\\u{202e}b");
    }

    #[test]
    fn a_word_stays_one() {
        for plain in ["/usr/bin/ls", "/a(b)[12]", "/h\u{f6}he"] {
            assert_eq!(word(plain.as_bytes()), plain);
        }
        assert_eq!(word(b"/a by /usr/bin/su[1]"), "\"/a by /usr/bin/su[1]\"");
        assert_eq!(word(b"/a\\\"b"), "\"/a\\\\\\\"b\"");
        assert_eq!(word(b"/a\xffb\n"), "\"/a\\xffb\\n\"");
        assert_eq!(word("/a\u{a0}b\u{202e}".as_bytes()), "\"/a\\u{a0}b\\u{202e}\"");
        assert_eq!(word(b""), "\"\"");
    }

    #[test]
    fn times_are_dates() {
        assert_eq!(time(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(1_709_210_096_789_000_000), "2024-02-29T12:34:56.789Z");
    }
}
