//! `:tour`: ten steps from noise to samples, run as shown.

use tumble::Diagnostic;

use super::colours::coloured;
use super::session::{Outcome, Session};

/// A sentence, and the input that it is about.
struct Step {
    says: &'static str,
    input: &'static str,
}

const STEPS: [Step; 10] = [
    Step {
        says: "A process noises data. This one is driven by active noise, which forgets within the time tau.",
        input: "let p = process::active(#{ tau: 0.5 });\nprint(p)",
    },
    Step {
        says: "Its kernel is exact: the covariance of x and the noise eta, given the data, at t = 0.5.",
        input: "p.kernel(0.5).cov",
    },
    Step { says: "The same process with a longer memory.", input: "p.vary(#{ tau: 2 }).kernel(0.5).cov" },
    Step {
        says: "A process of your own is its drift and its noise; what kind it is, the program finds out.",
        input: "sde(#{ drift: |s| #{ x: s.x - s.x ** 3 }, noise: |s| #{ x: 1 }, horizon: 2, coordinates: 1 }).kind",
    },
    Step {
        says: "Data are laws or tables; `:help dataset` lists them, and from_file reads yours. These are nine clusters.",
        input: "let d = dataset::diamond();\nd.sample(1000, 1)",
    },
    Step {
        says: "The noising goes one way; the seed, last, makes it repeatable.",
        input: "perturb(p, d.sample(1000, 1), 1, 2)",
    },
    Step {
        says: "For such data the score is known exactly, and leads back from noise to samples.",
        input: "let exact = sample(score::exact(p, d), #{ count: 1000, seed: 3 })",
    },
    Step {
        says: "A network learns the score. Ctrl-C would stop it and keep what it has learned.",
        input: "let m = score::mlp(p, d, #{ hidden: [32, 32], seed: 0 });\n\
                train(m, d, #{ steps: 300, batch: 128, seed: 1 })",
    },
    Step {
        says: "How far are its samples from the data, and how far are the exact ones? (The less the better.)",
        input: "let learned = sample(m, #{ count: 1000, seed: 3 });\n\
                [learned, exact].map(|s| measure::sliced_wasserstein(s.x, d.sample(1000, 4)))",
    },
    Step {
        says: "A picture; with the option file: \"tour.png\" it is saved. `:save tour.rhai` writes all this as a script.",
        input: "plot::scatter([exact.x, learned.x], #{ titles: [\"exact\", \"learned\"] })",
    },
];

/// Takes the next step, or the one named; steps build on those before.
pub(super) fn tour(session: &mut Session, argument: &str) -> Result<Outcome, Diagnostic> {
    let next = session.toured % STEPS.len() + 1;
    let number = match argument {
        "" => next,
        given => given.parse().ok().filter(|number| (1..=next).contains(number)).ok_or_else(|| {
            let problem = format!("there is no step `{given}` to take yet: steps build on those before");
            let mut diagnostic = Diagnostic::plain(problem);
            diagnostic.hints.push(format!("`:tour` takes step {next} of {}", STEPS.len()));
            diagnostic
        })?,
    };
    let Step { says, input } = &STEPS[number - 1];
    let page = session.page();
    session.setup.screen.print_page(page.doc(&format!("# Step {number} of {}\n{says}", STEPS.len())).trim_end());
    for line in input.lines() {
        let line = if session.page().colour { coloured(line, None) } else { line.to_owned() };
        session.setup.screen.print_page(&format!("> {line}"));
    }
    let outcome = session.evaluate(input);
    if outcome == Outcome::Done {
        session.toured = number;
        let ending = match number == STEPS.len() {
            true => "That was the tour. `:help` lists the rest.".to_owned(),
            false => format!("`:tour` goes on to step {}.", number + 1),
        };
        session.setup.screen.print_page(page.doc(&ending).trim_end());
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Setup;
    use tumble::Runtime;

    #[test]
    fn every_step_runs_as_it_is_shown() {
        let mut session = Session::new(Runtime::new(), Setup::for_tests());
        assert!(tour(&mut session, "3").is_err());
        for number in 1..=STEPS.len() {
            assert_eq!(tour(&mut session, "").unwrap(), Outcome::Done, "step {number}");
            assert_eq!(session.toured, number);
        }
        assert!(STEPS.iter().all(|step| step.input.lines().count() <= 2));
    }
}
