//! What the tokenizer corrects: operators that would silently mean something else, and words that need not be reserved.

use std::cell::RefCell;
use std::rc::Rc;

use rhai::{Engine, LexError, Token};

/// One level of brackets: whether the operand being read follows a unary minus.
#[derive(Default, Clone, Copy)]
struct Level {
    after_minus: bool,
}

/// What the token filter remembers between tokens. Reset before every compilation: a text with a syntax error leaves
/// brackets open.
#[derive(Clone)]
pub(super) struct TokenState(Rc<RefCell<Inner>>);

struct Inner {
    levels: Vec<Level>,
    after_dot: bool,
}

impl TokenState {
    /// Forgets the text read so far.
    pub(super) fn reset(&self) {
        *self.0.borrow_mut() = Inner::new();
    }
}

impl Inner {
    fn new() -> Self {
        Self { levels: vec![Level::default()], after_dot: false }
    }

    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        self.levels.last_mut().expect("one level at least")
    }

    fn filter(&mut self, token: Token) -> Token {
        let after_dot = std::mem::replace(&mut self.after_dot, matches!(token, Token::Period | Token::Elvis));
        if matches!(token, Token::PowerOf) && self.level().after_minus {
            return refuse("`-a ** b` could mean two things: write `-(a ** b)` or `(-a) ** b`");
        }
        self.follow(&token);
        match token {
            // Rhai's tokenizer makes floats of them, of which most digits are lost.
            Token::FloatConstant(number) if number.1.chars().all(|c| c.is_ascii_digit() || "_-".contains(c)) => {
                let text = &number.1;
                refuse(&format!("whole numbers end at {}: write {text}.0 for the float next to it", i64::MAX))
            }
            Token::XOr => refuse("`^` is not a power here: write `a ** b`"),
            // Reserved by Rhai for the future, and good names for a physicist's variables.
            Token::Reserved(word)
                if matches!(&**word, "var" | "default" | "new" | "with" | "is" | "go" | "sync" | "where") =>
            {
                Token::Identifier(word)
            }
            // A literal, not a variable: functions and closures see no outer variables.
            Token::Identifier(word) if !after_dot && &**word == "PI" => {
                Token::FloatConstant(Box::new((std::f64::consts::PI.into(), "PI".into())))
            }
            token => token,
        }
    }

    fn follow(&mut self, token: &Token) {
        match token {
            Token::UnaryMinus => self.level().after_minus = true,
            // The tokenizer folds `-2` into one literal.
            Token::IntegerConstant(n) if *n < 0 => self.level().after_minus = true,
            Token::FloatConstant(x) if *x.0 < 0.0 => self.level().after_minus = true,
            Token::LeftParen | Token::LeftBracket | Token::LeftBrace | Token::MapStart => {
                self.levels.push(Level::default());
            }
            Token::RightParen | Token::RightBracket | Token::RightBrace => {
                self.levels.pop();
            }
            // Parts of the operand after the minus: `-p.a[0]`, `-m::f(x)`.
            Token::Period
            | Token::Elvis
            | Token::DoubleColon
            | Token::Identifier(_)
            | Token::Reserved(_)
            | Token::IntegerConstant(_)
            | Token::FloatConstant(_) => {}
            _ => self.level().after_minus = false,
        }
    }
}

fn refuse(message: &str) -> Token {
    Token::LexError(Box::new(LexError::Runtime(message.into())))
}

/// Installs the filter.
pub(super) fn install(engine: &mut Engine) -> TokenState {
    let state = TokenState(Rc::new(RefCell::new(Inner::new())));
    let shared = state.0.clone();
    // Deprecated marks "may change without notice" in Rhai, not "will go".
    #[allow(deprecated)]
    engine.on_parse_token(move |token, _, _| shared.borrow_mut().filter(token));
    state
}
