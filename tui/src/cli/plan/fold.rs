//! A line of shell over several lines that mean the same.

use unicode_width::UnicodeWidthStr;

/// Continuations begin so much further right.
const INDENT: usize = 4;

/// Cuts a line between its words, with `\` at the ends, so that each part has at most `width` columns where its words
/// let it. An argument stays with its values where that fits.
pub(super) fn folded(line: &str, indent: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut last = " ".repeat(indent);
    let mut begun = false;
    // ` \` comes behind each line but the last.
    let fits = |line: &str, more: &str| line.width() + 1 + more.width() + 2 <= width;
    let mut push = |text: &str, last: &mut String| {
        if begun && !fits(last, text) {
            let next = " ".repeat(indent + INDENT) + text;
            lines.push(std::mem::replace(last, next) + " \\");
            return;
        }
        if begun {
            last.push(' ');
        }
        begun = true;
        last.push_str(text);
    };
    for group in groups(&words(line)) {
        let whole = group.join(" ");
        match indent + INDENT + whole.width() + 2 <= width {
            true => push(&whole, &mut last),
            false => group.iter().for_each(|word| push(word, &mut last)),
        }
    }
    lines.push(last);
    lines
}

/// The words of a line as they stand there, quotes and all. Quotes are those that our lines have: `'...'`, and `\'`
/// between two of them.
fn words(line: &str) -> Vec<&str> {
    let (mut words, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in line.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if !quoted => escaped = true,
            '\'' => quoted = !quoted,
            ' ' if !quoted => {
                words.push(&line[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    words.push(&line[from..]);
    words.retain(|word| !word.is_empty());
    words
}

/// `--name` with what stands behind it.
fn groups<'a>(words: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for word in words {
        match groups.last_mut().filter(|group| !word.starts_with('-') && group[0].starts_with("--")) {
            Some(group) => group.push(word),
            None => groups.push(vec![word]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rldeck_core::plan::ray::shell;

    use super::*;

    /// What a shell makes of a text, when `ray` prints its arguments.
    fn parsed(text: &str) -> Vec<String> {
        let script = format!("ray() {{ for word in \"$@\"; do printf '%s\\0' \"$word\"; done; }}\n{text}");
        let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{text}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn a_shell_reads_the_same_words_at_every_width() {
        let odd = [
            "ray",
            "",
            "a b",
            "it's",
            "''",
            "$HOME",
            "--list",
            "[0,1]",
            "~",
            "*",
            "a\nb",
            "\"",
            "\\",
            "\\'",
            "#",
            "--x=é",
            "{\"a\": \"b 'c' \\\\\"}",
            ";",
            "a=b",
            "  ",
            "--flag",
            "--long",
            "'; rm -rf / #",
            "`id`",
            "$(id)",
            "a\\",
            "!",
        ];
        let argv: Vec<String> = odd.map(str::to_owned).into();
        for width in [1, 8, 20, 37, 60, 100, 1000] {
            let lines = folded(&shell(&argv), 2, width);
            assert_eq!(parsed(&lines.join("\n")), argv[1..], "{width}: {lines:?}");
            assert!(width < 1000 || lines.len() == 1);
        }
    }

    #[test]
    fn an_argument_stays_with_its_values() {
        let lines = folded("ray job submit --a 1 --bb 22 33 --c --ddd 4444444444444444444444444444 5", 2, 30);
        let expected = [
            "  ray job submit --a 1 \\",
            "      --bb 22 33 --c --ddd \\",
            "      4444444444444444444444444444 \\",
            "      5",
        ];
        assert_eq!(lines, expected);
    }
}
