//! `:set`.

use tumble::Diagnostic;
use tumble::error::nearest;

use crate::cli::IMAGES;
use crate::repl::session::{Outcome, Session};

/// What can be set.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    about: &'static str,
    /// The words that it may be, if it is no number.
    pub(crate) words: &'static [&'static str],
    get: fn(&Session) -> String,
    set: fn(&mut Session, &str) -> Result<(), Diagnostic>,
}

const SWITCH: &[&str] = &["on", "off"];

/// All settings.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "threads",
        about: "threads of long computations; 0 takes as many as the machine has",
        words: &[],
        get: |session| session.runtime.threads().to_string(),
        set: |session, value| {
            let threads = number("threads", value)?;
            session.runtime.set_threads(threads)?;
            session.setup.threads = threads;
            Ok(())
        },
    },
    Setting {
        name: "quiet",
        about: "show no progress, but warnings",
        words: SWITCH,
        get: |session| word(session.setup.is_quiet()),
        set: |session, value| {
            session.setup.set_quiet(switch("quiet", value)?);
            Ok(())
        },
    },
    Setting {
        name: "lines",
        about: "lines of a value that are shown",
        words: &[],
        get: |session| session.lines.to_string(),
        set: |session, value| {
            session.lines = number("lines", value)?.max(1);
            Ok(())
        },
    },
    Setting {
        name: "images",
        about: "how figures are shown; auto goes by what the terminal says of itself",
        words: IMAGES,
        get: |session| session.setup.screen.images().to_owned(),
        set: |session, value| Ok(session.setup.screen.set_images(value)?),
    },
];

fn word(is_on: bool) -> String {
    SWITCH[usize::from(!is_on)].to_owned()
}

fn number(name: &str, value: &str) -> Result<usize, Diagnostic> {
    value.parse().map_err(|_| Diagnostic::plain(format!("`{name}` must be a whole number, got `{value}`")))
}

fn switch(name: &str, value: &str) -> Result<bool, Diagnostic> {
    match SWITCH.iter().position(|word| *word == value) {
        Some(position) => Ok(position == 0),
        None => Err(Diagnostic::plain(format!("`{name}` must be `on` or `off`, got `{value}`"))),
    }
}

pub(super) fn set(session: &mut Session, argument: &str) -> Result<Outcome, Diagnostic> {
    if argument.is_empty() {
        let values: Vec<String> =
            SETTINGS.iter().map(|setting| format!("{} {}", setting.name, (setting.get)(session))).collect();
        let rows: Vec<_> =
            values.iter().zip(SETTINGS).map(|(value, setting)| (value.as_str(), setting.about)).collect();
        session.setup.screen.print_page(session.page().table(&rows).trim_end());
        return Ok(Outcome::Done);
    }
    let (name, value) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
        let mut diagnostic = Diagnostic::plain(format!("there is no setting `{name}`"));
        let near = nearest(name, SETTINGS.iter().map(|setting| setting.name));
        diagnostic.hints.push(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`:set` lists the settings".into(),
        });
        return Err(diagnostic);
    };
    if value.trim().is_empty() {
        let may = match setting.words {
            [] => String::new(),
            words => format!(" (may be {})", words.join(", ")),
        };
        session.setup.screen.print(&format!("{name} {}{may}: {}", (setting.get)(session), setting.about));
        return Ok(Outcome::Done);
    }
    (setting.set)(session, value.trim())?;
    session.setup.screen.print(&format!("{name} {}", (setting.get)(session)));
    Ok(Outcome::Done)
}
