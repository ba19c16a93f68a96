//! The language inside another program: functions and a type of its own, results as values of Rust, what is printed and
//! how far it is, a stop from another thread, and a score of its own that the library samples.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tumble::data::Moments;
use tumble::ndarray::ArrayD;
use tumble::process::{PriorLaw, Process};
use tumble::sample::{Heun, Options, sample};
use tumble::score::{Evaluator, Prepared, Score};
use tumble::task::{Progress, Report, Task};
use tumble::{Error, Runtime, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cancel = Arc::new(AtomicBool::new(false));
    let steps = Arc::new(Steps::default());
    let lines = Rc::new(RefCell::new(Vec::new()));
    let kept = lines.clone();
    let mut tumble = Runtime::builder()
        .cancel(cancel.clone())
        .progress(steps.clone())
        .print(move |line| kept.borrow_mut().push(line.to_owned()))
        .build()?;

    // What scripts see of this program.
    tumble
        .engine()
        .register_type_with_name::<Trap>("Trap")
        .register_fn("trap", |stiffness: f64| Trap { stiffness })
        .register_get("relaxation", |trap: &mut Trap| 1.0 / trap.stiffness);

    // What this program sees of scripts.
    tumble.eval::<()>("let p = process::active(#{ tau: 0.5, k: 1 / trap(2.0).relaxation }); print(p.params.k);")?;
    println!("printed: {:?}", lines.borrow());
    let covariance: ArrayD<f32> = tumble.eval("tensor(p.kernel(1).cov)")?;
    println!("covariance of x at t = 1: {:.4}", covariance[[0, 0]]);
    tumble.eval::<()>("fn spread(process, time) { sqrt(process.kernel(time).cov[0][0]) }")?;
    let process: Process = tumble.eval("p")?;
    let spread: f64 = tumble.call("spread", vec![Value::from(process), 1.0.into()])?;
    println!("its deviation: {spread:.4}");

    // Progress, and a stop that another thread may ask for at any time.
    tumble.eval::<()>("let d = dataset::diamond(); let m = score::mlp(p, d, #{ hidden: [16], seed: 1 });")?;
    tumble.eval::<()>("let r = train(m, d, #{ steps: 50, seed: 1 });")?;
    println!("steps of training: {}", steps.0.load(Ordering::Relaxed));
    std::thread::spawn(move || cancel.store(true, Ordering::Relaxed)).join().expect("it stores a flag");
    println!("stopped: {}", tumble.run("loop {}").unwrap_err());

    // A score of this program, sampled as any other.
    let score = Narrow { process: tumble.eval("process::passive()")?, moments: Moments::isotropic(vec![3.0], 0.25) };
    let options = Options { steps: 200, seed: 1, ..Options::by(Heun) };
    let samples = sample(&score, 50_000, PriorLaw::Matched, &options, &Task::default())?;
    let x = samples.block("x")?.values().into_owned();
    let mean = x.iter().sum::<f32>() / x.len() as f32;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / x.len() as f32;
    println!("samples: mean {mean:.1}, variance {variance:.2}");
    Ok(())
}

/// A type of this program.
#[derive(Clone)]
struct Trap {
    stiffness: f64,
}

/// The last step that was told of.
#[derive(Default)]
struct Steps(AtomicU64);

impl Progress for Steps {
    fn update(&self, _: &Report) {}

    fn finish(&self, report: &Report) {
        self.0.store(report.done, Ordering::Relaxed);
    }
}

/// The score of Gaussian data under dx = −x dt + √2 dW.
struct Narrow {
    process: Process,
    moments: Moments,
}

impl Score for Narrow {
    fn process(&self) -> &Process {
        &self.process
    }

    fn shape(&self) -> &[usize] {
        &[1]
    }

    fn moments(&self) -> &Moments {
        &self.moments
    }

    fn prepare(&self, times: &[f64], _: &Task) -> Result<Box<dyn Prepared + '_>, Error> {
        let variance = |time: &f64| self.moments.variance() * (-2.0 * time).exp() - (-2.0 * time).exp_m1();
        Ok(Box::new(Slopes(times.iter().map(|time| (-1.0 / variance(time)) as f32).collect())))
    }
}

/// At each prepared time, what the score is per distance from the mean.
struct Slopes(Vec<f32>);

impl Prepared for Slopes {
    fn evaluator(&self, _: usize) -> Box<dyn Evaluator + '_> {
        Box::new(Slopes(self.0.clone()))
    }
}

impl Evaluator for Slopes {
    // Of linear processes states come as what they differ by from the mean of the noised data.
    fn evaluate(&mut self, time: usize, _: usize, state: &[f32], score: &mut [f32]) {
        score.iter_mut().zip(state).for_each(|(score, z)| *score = self.0[time] * z);
    }
}
