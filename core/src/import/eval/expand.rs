//! Words to texts and fields.

use std::rc::Rc;

use super::{
    super::{
        shell::{At, Change, Index, List, Part, Stop, Variable, Word},
        value::{Field, Held, Hole, Piece, Text},
    },
    Shell,
    parameter::Found,
};
use crate::finding::Place;

/// Fields while they grow.
struct Fields {
    done: Vec<Field>,
    text: Option<Text>,
    /// Where the word stands.
    word: Place,
    /// Where the element stands that is being added.
    place: Option<Place>,
    from: Option<Rc<str>>,
    separators: String,
}

impl Fields {
    fn finish(&mut self) {
        if let Some(text) = self.text.take() {
            let place = self.place.take().unwrap_or_else(|| self.word.clone());
            self.done.push(Field { text, place, from: self.from.take() });
        }
    }

    fn add(&mut self, text: Text) {
        self.text.get_or_insert_default().extend(text);
    }

    /// What is not quoted: cut into fields.
    fn cut(&mut self, text: Text) {
        let begins = |text: &Text, start: bool| {
            let piece = if start { text.pieces().first() } else { text.pieces().last() };
            let value = match piece {
                Some(Piece::Plain(text)) => text.as_str(),
                Some(Piece::Given { value, .. }) => value,
                Some(Piece::Hole(_)) | None => return false,
            };
            let letter = if start { value.chars().next() } else { value.chars().next_back() };
            letter.is_some_and(|letter| self.separators.contains(letter))
        };
        let (first, last) = (begins(&text, true), begins(&text, false));
        if first {
            self.finish();
        }
        for (at, text) in text.split(&self.separators).into_iter().enumerate() {
            if at > 0 {
                self.finish();
            }
            self.add(text);
        }
        if last {
            self.finish();
        }
    }
}

impl Shell<'_> {
    /// A word as one text: nothing is cut.
    pub(super) fn text(&mut self, word: &Word) -> Result<Text, Stop> {
        self.enter(&word.at)?;
        let mut text = Text::default();
        for (number, part) in word.parts.iter().enumerate() {
            match part {
                Part::Text(plain) if number == 0 && (plain == "~" || plain.starts_with("~/")) => {
                    text.extend(self.home(&word.at));
                    text.push_str(&plain[1..]);
                }
                part => text.extend(self.part(part, &word.at)?),
            }
        }
        self.depth -= 1;
        self.measure(&text, &word.at)?;
        Ok(text)
    }

    /// Nothing may grow without an end.
    pub(super) fn measure(&mut self, text: &Text, at: &At) -> Result<(), Stop> {
        if text.size() > super::LONGEST {
            return Err(self.wrong(at, format!("a value becomes longer than {} KB here", super::LONGEST / 1024)));
        }
        self.spend(text.size() / 64, at)
    }

    fn part(&mut self, part: &Part, at: &At) -> Result<Text, Stop> {
        Ok(match part {
            Part::Text(text) | Part::Quoted(text) => Text::plain(text),
            Part::Double(parts) => {
                let mut text = Text::default();
                for part in parts {
                    text.extend(self.part(part, at)?);
                }
                text
            }
            Part::Variable(variable) => match self.variable(variable, at)? {
                Found::One(text) => text,
                Found::Word(word) => self.text(&word)?,
                Found::Many(fields) => self.joined(fields, matches!(variable.index, Index::Joined), at)?,
            },
            Part::Command(list, source) => self.substitution(list, source, at)?,
            Part::Arithmetic(word) => match self.sum(word, false)? {
                Ok(number) => Text::plain(number.unwrap_or(0).to_string()),
                Err(hole) => Text::hole(hole),
            },
            Part::Unread(what) => Text::hole(self.hole(at, format!("{what}, which rldeck does not read"))),
        })
    }

    /// All fields in one, between them a blank, or for `*` the first separator.
    pub(super) fn joined(&mut self, fields: Vec<Field>, star: bool, at: &At) -> Result<Text, Stop> {
        let between = if star {
            self.separators(at).chars().next().map(String::from).unwrap_or_default()
        } else {
            " ".to_owned()
        };
        let mut text = Text::default();
        for (number, field) in fields.into_iter().enumerate() {
            if number > 0 {
                text.push_str(&between);
            }
            text.extend(field.text);
        }
        self.measure(&text, at)?;
        Ok(text)
    }

    fn separators(&mut self, at: &At) -> String {
        match self.look_up("IFS", at) {
            Some(Held::One(text)) => text.seen().unwrap_or_else(|_| " \t\n".to_owned()),
            Some(Held::Many(_)) | None => " \t\n".to_owned(),
        }
    }

    pub(super) fn home(&mut self, at: &At) -> Text {
        match self.look_up("HOME", at) {
            Some(Held::One(text)) => text,
            Some(Held::Many(_)) | None => self.unset("HOME", at),
        }
    }

    /// What a command prints.
    fn substitution(&mut self, list: &List, source: &str, at: &At) -> Result<Text, Stop> {
        self.enter(at)?;
        let stdin = self.stdin.take();
        let text = self.printed(at, |shell| shell.list(list))?.without_line_ends();
        self.substituted = true;
        self.stdin = stdin;
        self.depth -= 1;
        // The whole of a command that is not run says more than its part.
        let open = text.first_hole().filter(|hole| !hole.unset && hole.why.starts_with("what `"));
        match open {
            Some(_) if text.pieces().len() == 1 => Ok(Text::hole(Rc::new(Hole {
                place: at.place(),
                why: format!("what `{source}` prints"),
                give: None,
                unset: false,
            }))),
            _ => Ok(text),
        }
    }

    /// A word as fields.
    pub(super) fn fields(&mut self, word: &Word) -> Result<Vec<Field>, Stop> {
        let separators = self.separators(&word.at);
        let mut fields =
            Fields { done: Vec::new(), text: None, word: word.at.place(), place: None, from: None, separators };
        self.cut_parts(&word.parts, &mut fields, false, &word.at)?;
        fields.finish();
        let size = fields.done.iter().map(|field| field.text.size() + 16).sum::<usize>();
        if size > super::LONGEST {
            return Err(self.wrong(&word.at, format!("a value becomes longer than {} KB here", super::LONGEST / 1024)));
        }
        self.spend(size / 64, &word.at)?;
        Ok(fields.done)
    }

    fn cut_parts(&mut self, parts: &[Part], fields: &mut Fields, inside: bool, at: &At) -> Result<(), Stop> {
        self.enter(at)?;
        // `[0]*3+[1]*58` is what Megatron reads; a file of such a name is no danger.
        let list = matches!(parts.first(), Some(Part::Text(text)) if text.starts_with(['[', '(']));
        for (number, part) in parts.iter().enumerate() {
            match part {
                Part::Text(text) => {
                    if let Some(what) = pattern(text).filter(|_| !list) {
                        fields.add(Text::hole(self.hole(at, format!("{what}, which rldeck does not read: quote it"))));
                        continue;
                    }
                    let mut text = text.as_str();
                    if number == 0 && fields.text.is_none() && (text == "~" || text.starts_with("~/")) {
                        fields.add(self.home(at));
                        text = &text[1..];
                    }
                    // Inside of ${...} blanks do not end the word, but they cut it.
                    if inside { fields.cut(Text::plain(text)) } else { fields.add(Text::plain(text)) }
                }
                Part::Double(inner) => self.quoted(inner, fields, at)?,
                Part::Variable(variable) => match self.variable(variable, at)? {
                    Found::One(text) => fields.cut(text),
                    Found::Word(word) => self.cut_parts(&word.parts, fields, true, at)?,
                    Found::Many(all) => {
                        for (number, field) in all.into_iter().enumerate() {
                            if number > 0 {
                                fields.finish();
                            }
                            self.element(fields, field, variable, false);
                        }
                    }
                },
                Part::Command(list, source) => {
                    let text = self.substitution(list, source, at)?;
                    fields.cut(text);
                }
                Part::Quoted(_) | Part::Arithmetic(_) | Part::Unread(_) => {
                    let text = self.part(part, at)?;
                    fields.add(text);
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// What stands in double quotes: one field, but for `"${ARRAY[@]}"`.
    fn quoted(&mut self, parts: &[Part], fields: &mut Fields, at: &At) -> Result<(), Stop> {
        let each = |variable: &Variable| {
            let changed = matches!(variable.change, Some(Change::Default { .. }));
            matches!(variable.index, Index::Each) && !variable.length && !changed
        };
        if !parts.iter().any(|part| matches!(part, Part::Variable(variable) if each(variable))) {
            fields.text.get_or_insert_default();
        }
        for part in parts {
            match part {
                Part::Variable(variable) if each(variable) => match self.variable(variable, at)? {
                    Found::Many(all) => {
                        for (number, field) in all.into_iter().enumerate() {
                            if number > 0 {
                                fields.finish();
                            }
                            self.element(fields, field, variable, true);
                        }
                    }
                    Found::One(text) => fields.add(text),
                    Found::Word(_) => {}
                },
                part => {
                    let text = self.part(part, at)?;
                    fields.add(text);
                }
            }
        }
        Ok(())
    }

    /// An element of an array keeps its line, and the innermost array that it stood in.
    fn element(&self, fields: &mut Fields, field: Field, variable: &Variable, quoted: bool) {
        let from = field.from.or_else(|| Some(variable.name.as_str().into()).filter(|_| variable.name != "@"));
        let texts = if quoted { vec![field.text] } else { field.text.split(&fields.separators) };
        for (number, text) in texts.into_iter().enumerate() {
            if number > 0 {
                fields.finish();
            }
            fields.place = Some(field.place.clone());
            fields.from = from.clone();
            fields.add(text);
        }
    }
}

/// What bash would replace by names of files, or make several words of.
fn pattern(text: &str) -> Option<&'static str> {
    if text.contains(['*', '?']) {
        return Some("a pattern of file names");
    }
    let inner = text.split_once('{')?.1.split_once('}')?.0;
    (inner.contains(',') || inner.contains("..")).then_some("a brace expansion")
}
