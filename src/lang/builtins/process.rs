//! Processes: `sde`, and what can be asked of one.

use std::collections::BTreeMap;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, FnPtr, Map};

use crate::error::Error;
use crate::expr::Expression;
use crate::host::Call;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Tables, json_number, kind, number_argument, read};
use crate::lang::surroundings::host;
use crate::lang::tracing::{ParameterSymbols, StateSymbols, check_blocks, entry, trace};
use crate::lang::types;
use crate::process::{Amplitudes, Definition, Draft, DraftStart, Entry, Process, StartLaw};
use crate::settings::Setting;

/// Registers the functions.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    types::register::<Process>(engine, "Process", "p.vary(#{ tau: 1 }) is the process with other parameters");
    let functions = tables.module("", rhai::exported_manifest!(functions), &[("sde", &[SDE])]);
    engine.register_global_module(functions.into());
}

const SDE: &[Setting] = &[
    Setting::text("name", "name in print and in checkpoints").or_text("process"),
    Setting::texts("state", "names of the blocks, the data first").or_else("`[\"x\"]`"),
    Setting::other("params", "a map #{ .. }", "map of parameters and their default values").or_else("none"),
    Setting::other(
        "drift",
        "a closure",
        "closure `|s, t, p|` that returns a map with one entry per block: an expression, or an array with one expression \
         per coordinate of the data",
    )
    .required("write drift: |s, t, p| #{ x: -s.x }"),
    Setting::other(
        "noise",
        "a closure",
        "closure `|s, t, p|` that returns the noise amplitude of each block that has one (Itô): a number or expression, \
         which is a Wiener source of its own; an array with one amplitude per Wiener source that blocks share; or an \
         array of such arrays, one per coordinate, for sources that coordinates share too",
    )
    .or_else("none"),
    Setting::other(
        "start",
        "a closure or \"stationary\"",
        "closure `|p|` that returns the laws of the auxiliaries at t = 0 as `normal(mean, std)`, or an array of them, one \
         per coordinate; what it leaves out starts at 0. Or `#{ cov: [[..], ..], mean: [..] }`, the covariance and (0 by \
         default) the mean of the auxiliary blocks together. Or `\"stationary\"`: the law that the auxiliaries settle \
         into, if they do not follow the data",
    )
    .or_else("all at 0"),
    Setting::count(
        "coordinates",
        "number of coordinates of the data, where the closures name some (`s.eta[0]`) but return no array that tells",
    )
    .between(1.0, 512.0)
    .or_else(""),
    Setting::texts(
        "periodic",
        "the block whose coordinates are angles, `[\"x\"]`: states have them in (-pi, pi], and drift and noise must be \
         the same after a full turn",
    )
    .or_else("none"),
    Setting::number("horizon", "total time T").above(0.0).required("give the total time, e.g. horizon: 2"),
];

/// The process, of which what the run writes will say that it was defined.
fn noted(ctx: &NativeCallContext, process: Process) -> Process {
    let parameters = process.parameters().iter().map(|(name, value)| (name.clone(), json_number(*value)));
    let horizon = ("horizon".to_owned(), json_number(process.horizon()));
    host(ctx).journal().define(Call::new(process.name(), &parameters.chain([horizon]).collect()));
    process
}

#[export_module(manifest)]
mod functions {
    /// A noise process: `dz = drift dt + noise dW`, from closures that run once on symbols.
    ///
    /// The state z stacks blocks of the data's shape: the first is the data, the others are auxiliary. Every
    /// coordinate of the data gets the same, independent process, unless a closure names coordinates (`s.eta[0]`) or
    /// returns arrays, one entry per coordinate. `p.kind` tells what the process is: a linear one has an exact kernel,
    /// a nonlinear one, or one whose noise depends on the state, is simulated. Coefficients may jump or pulse in time
    /// as they like, `where((t > 0.2) & (t < 0.3), 1, 0)`: steps and integrals are cut there. In a linear process they
    /// may be infinite at t = 0, if drift and squared noise can be integrated, such as noise `t ** (-0.25)`; `simulate`
    /// cannot begin there, `perturb` can.
    ///
    /// Data that are angles live on a circle, those of several coordinates on a torus: `periodic: ["x"]`. States then
    /// have x in (-pi, pi]; exact scores sum over its images x + 2 pi n, networks are shown cos x and sin x, and the
    /// prior is uniform in x. Noise must have forgotten where on the circle the data were: its spread at the horizon
    /// should pass 3 radians. `process::circle` is such a process.
    ///
    /// # Returns
    /// A `Process`.
    ///
    /// # Errors
    /// When a closure branches on a symbol, leaves out a block or names an unknown one; when entries disagree in the
    /// number of coordinates; when a coefficient has no finite value between t = 0 and the horizon; when drift or noise
    /// tell an angle from itself after a full turn.
    ///
    /// # Source
    /// Behera et al., arXiv 2411.07233; Dockhorn, Vahdat, Kreis, arXiv 2112.07068.
    ///
    /// # Example
    /// ```rhai
    /// let p = sde(#{
    ///     name: "active",
    ///     state: ["x", "eta"],
    ///     params: #{ k: 1, Ta: 1, tau: 0.5 },
    ///     drift: |s, t, p| #{ x: s.eta - p.k * s.x, eta: -s.eta / p.tau },
    ///     noise: |s, t, p| #{ eta: sqrt(2 * p.Ta) / p.tau },
    ///     start: |p| #{ eta: normal(0, sqrt(p.Ta / p.tau)) },
    ///     horizon: 2,
    /// });
    /// assert(p.kind == "linear");
    /// assert(p.vary(#{ tau: 1 }).params.tau == 1);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sde(ctx: NativeCallContext, options: Map) -> Outcome<Process> {
        let (draft, horizon) = read(&ctx, options, &[SDE], |given| {
            let blocks = given.texts_if_given("state").map_or_else(|| vec!["x".to_owned()], <[String]>::to_vec);
            Definition::check_blocks(&blocks).raise(&ctx)?;
            let parameters = parameters(&ctx, given.map("params")?.unwrap_or_default())?;
            let [drift, noise] = ["drift", "noise"].map(|name| given.closure(name));
            let tracer = Tracer { ctx: &ctx, blocks: &blocks, parameters: &parameters };
            let draft = Draft {
                drift: tracer.drift(&drift?.expect("it must be given"))?,
                noise: tracer.noise(noise?.as_ref())?,
                start: tracer.start(given.other("start"))?,
                name: given.word("name").to_owned(),
                coordinates: given.count_if_given("coordinates"),
                periodic: given.texts_if_given("periodic").map_or_else(Vec::new, <[String]>::to_vec),
                blocks,
                parameters,
            };
            Ok((draft, given.number("horizon")))
        })?;
        let definition = draft.definition().raise(&ctx)?;
        Process::new(definition, horizon).map(|process| noted(&ctx, process)).raise(&ctx)
    }

    /// The same process with other parameters; no closure runs again.
    ///
    /// # Arguments
    /// - `changes`: map of new values of any parameters of the process, and of `horizon`
    ///
    /// # Returns
    /// A new `Process`; the old one stays as it was.
    ///
    /// # Errors
    /// When a name is not a parameter of the process, or a coefficient has no finite value.
    ///
    /// # Example
    /// ```rhai
    /// let p = process::active(#{ tau: 0.5 });
    /// assert(p.vary(#{ tau: 1, horizon: 3 }).horizon == 3);
    /// assert(p.params.tau == 0.5);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn vary(ctx: NativeCallContext, process: &mut Process, changes: Map) -> Outcome<Process> {
        let changes = numbers(&ctx, changes)?;
        process.vary(&changes).map(|process| noted(&ctx, process)).raise(&ctx)
    }

    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(process: &mut Process) -> String {
        process.to_string()
    }

    /// Name of the process.
    #[rhai_fn(get = "name", pure)]
    pub fn name(process: &mut Process) -> String {
        process.name().to_owned()
    }

    /// Class of the process: `"linear"`, `"linear time-dependent"` or `"nonlinear"`; `print(p)` says why.
    #[rhai_fn(get = "kind", pure)]
    pub fn kind(process: &mut Process) -> String {
        process.kind().to_owned()
    }

    /// Names of the blocks; the first is the data.
    #[rhai_fn(get = "state", pure)]
    pub fn state(process: &mut Process) -> Array {
        process.blocks().iter().map(|block| block.clone().into()).collect()
    }

    /// The parameters and their values.
    #[rhai_fn(get = "params", pure)]
    pub fn params(process: &mut Process) -> Map {
        process.parameters().iter().map(|(name, value)| (name.as_str().into(), (*value).into())).collect()
    }

    /// Names of the blocks whose coordinates are angles.
    #[rhai_fn(get = "periodic", pure)]
    pub fn periodic(process: &mut Process) -> Array {
        process.definition().periodic.iter().map(|block| block.clone().into()).collect()
    }

    /// Total time T of the forward process.
    #[rhai_fn(get = "horizon", pure)]
    pub fn horizon(process: &mut Process) -> f64 {
        process.horizon()
    }
}

fn numbers(ctx: &NativeCallContext, map: Map) -> Outcome<BTreeMap<String, f64>> {
    map.into_iter().map(|(name, value)| Ok((name.to_string(), number_argument(ctx, &name, &value)?))).collect()
}

fn parameters(ctx: &NativeCallContext, map: Map) -> Outcome<BTreeMap<String, f64>> {
    if map.contains_key("horizon") {
        let error = Error::argument("params", "cannot contain `horizon`, which is an option of every process");
        return Err(error).raise(ctx);
    }
    numbers(ctx, map)
}

struct Tracer<'a> {
    ctx: &'a NativeCallContext<'a>,
    blocks: &'a [String],
    parameters: &'a BTreeMap<String, f64>,
}

impl Tracer<'_> {
    fn parameter_symbols(&self) -> Dynamic {
        Dynamic::from(ParameterSymbols(self.parameters.keys().cloned().collect()))
    }

    fn run(&self, name: &str, closure: &FnPtr) -> Outcome<Map> {
        let state = Dynamic::from(StateSymbols(self.blocks.to_vec()));
        let time = Dynamic::from(Expression::time());
        let map = trace(self.ctx, name, closure, &[("s", state), ("t", time), ("p", self.parameter_symbols())])?;
        check_blocks(self.ctx, name, &map, self.blocks)?;
        Ok(map)
    }

    fn drift(&self, closure: &FnPtr) -> Outcome<Vec<Entry<Expression>>> {
        let map = self.run("drift", closure)?;
        let read = |block: &String| match map.get(block.as_str()) {
            Some(value) => self.entry(value, |value| entry(self.ctx, "drift", block, value)),
            None => {
                let error = Error::argument("drift", format!("returns no entry for the block `{block}`"));
                Err(error.with_hint(format!("a block at rest has {block}: 0"))).raise(self.ctx)
            }
        };
        self.blocks.iter().map(read).collect()
    }

    fn noise(&self, closure: Option<&FnPtr>) -> Outcome<Vec<Option<Amplitudes>>> {
        let map = closure.map_or_else(|| Ok(Map::new()), |closure| self.run("noise", closure))?;
        let read = |block: &String| {
            let Some(value) = map.get(block.as_str()) else { return Ok(None) };
            let amplitude = |value: &Dynamic| entry(self.ctx, "noise", block, value);
            let Some(items) = value.read_lock::<Array>() else {
                return amplitude(value).map(Amplitudes::Own).map(Some);
            };
            if !items.iter().any(Dynamic::is_array) {
                return items.iter().map(amplitude).collect::<Outcome<_>>().map(Amplitudes::Shared).map(Some);
            }
            let row = |value: &Dynamic| match value.read_lock::<Array>() {
                Some(row) => row.iter().map(amplitude).collect::<Outcome<Vec<_>>>(),
                None => {
                    let problem = format!("mixes numbers and arrays for `{block}`");
                    let hint = "write one array per coordinate, with one amplitude per Wiener source";
                    Err(Error::argument("noise", problem).with_hint(hint)).raise(self.ctx)
                }
            };
            items.iter().map(row).collect::<Outcome<_>>().map(Amplitudes::Matrix).map(Some)
        };
        self.blocks.iter().map(read).collect()
    }

    fn start(&self, given: Option<&Dynamic>) -> Outcome<DraftStart> {
        let Some(given) = given else { return Ok(DraftStart::Each(vec![None; self.blocks.len()])) };
        if let Ok(word) = given.clone().into_string() {
            let error = Error::argument("start", format!("must be a closure or \"stationary\", got {word:?}"));
            return if word == "stationary" { Ok(DraftStart::Stationary) } else { Err(error).raise(self.ctx) };
        }
        let Some(closure) = given.clone().try_cast::<FnPtr>() else {
            let problem = format!("must be a closure or \"stationary\", got {}", kind(self.ctx, given));
            return Err(Error::argument("start", problem)).raise(self.ctx);
        };
        let map = trace(self.ctx, "start", &closure, &[("p", self.parameter_symbols())])?;
        let is_block = |name: &str| self.blocks.iter().any(|block| block == name);
        if map.contains_key("cov") && !is_block("cov") {
            return self.joint_start(&map);
        }
        if let Some(word) = ["covariance", "mean"].into_iter().find(|word| map.contains_key(*word) && !is_block(word)) {
            let problem = format!("returns `{word}`, which is no block");
            let hint = "a law of all auxiliaries together is written #{ cov: [[..], ..], mean: [..] }";
            return Err(Error::argument("start", problem).with_hint(hint)).raise(self.ctx);
        }
        check_blocks(self.ctx, "start", &map, self.blocks)?;
        if map.contains_key(self.blocks[0].as_str()) {
            let problem = format!("gives a law for `{}`, the data", self.blocks[0]);
            return Err(Error::argument("start", problem).with_hint("the data start as the dataset says"))
                .raise(self.ctx);
        }
        let law = |block: &String, value: &Dynamic| match value.read_lock::<StartLaw>() {
            Some(law) => Ok(law.clone()),
            None => {
                let error = Error::argument("start", format!("must give `{block}` a law"));
                Err(error.with_hint("write normal(mean, std), or #{ cov: [[..], ..] } for all together"))
                    .raise(self.ctx)
            }
        };
        let read = |block: &String| match map.get(block.as_str()) {
            None => Ok(None),
            Some(value) => self.entry(value, |value| law(block, value)).map(Some),
        };
        self.blocks.iter().map(read).collect::<Outcome<_>>().map(DraftStart::Each)
    }

    /// `#{ cov: [[..], ..], mean: [..] }`.
    fn joint_start(&self, map: &Map) -> Outcome<DraftStart> {
        let refuse = |problem: String| {
            let hint = "write #{ cov: [[a, b], [b, c]], mean: [0, 0] }, a row for each block but the data";
            Error::argument("start", problem).with_hint(hint)
        };
        if let Some(other) = map.keys().find(|key| !matches!(key.as_str(), "cov" | "mean")) {
            return Err(refuse(format!("returns `{other}` beside a covariance of all auxiliaries"))).raise(self.ctx);
        }
        let row = |name: &str, value: &Dynamic| match value.read_lock::<Array>() {
            Some(items) => items.iter().map(|item| entry(self.ctx, "start", name, item)).collect::<Outcome<Vec<_>>>(),
            None => Err(refuse(format!("gives {} for `{name}`, where arrays belong", kind(self.ctx, value))))
                .raise(self.ctx),
        };
        let Some(rows) = map["cov"].read_lock::<Array>() else {
            return Err(refuse(format!("gives {} for `cov`, where arrays belong", kind(self.ctx, &map["cov"]))))
                .raise(self.ctx);
        };
        let covariance = rows.iter().map(|value| row("cov", value)).collect::<Outcome<Vec<_>>>()?;
        let zeros = || vec![Expression::constant(0.0); covariance.len()];
        let mean = map.get("mean").map_or_else(|| Ok(zeros()), |value| row("mean", value))?;
        Ok(DraftStart::Joint { mean, covariance })
    }

    /// An array has one entry per coordinate.
    fn entry<T>(&self, value: &Dynamic, read: impl Fn(&Dynamic) -> Outcome<T>) -> Outcome<Entry<T>> {
        match value.read_lock::<Array>() {
            None => read(value).map(Entry::Every),
            Some(items) => items.iter().map(read).collect::<Outcome<_>>().map(Entry::Each),
        }
    }
}
