//! Results of an experiment that are kept.

use std::path::Path;

use rhai::plugin::*;
use rhai::{Dynamic, Engine, FnPtr, Map};

use crate::error::{Error, Result};
use crate::host::Changes;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::json;
use crate::lang::surroundings::{host, task};
use crate::lang::tensors::tensor_argument;
use crate::tensor::{Tensor, archive};

/// Registers the function.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// A part of an experiment that is not computed again where its result is there: what the closure gives is kept in
    /// a file with the settings, and a later run with the same settings reads it from there. Tensors, such as data that
    /// took long to generate, are best kept as `.safetensors`, all else as `.json`.
    ///
    /// A run that was stopped goes on behind the last part that it finished. Other settings are computed anew, and
    /// replace what the file has; so is a part whose script had read a file that has changed since, as far as there is
    /// a record of it. What the closure uses besides, such as other variables or a changed script, is not looked at:
    /// put what matters into the settings.
    ///
    /// # Arguments
    /// - `file`: a .json file, of `#{ settings, value }`; or a .safetensors file, for a tensor or a map of tensors
    /// - `settings`: a map of what the result depends on
    /// - `compute`: a closure without parameters
    ///
    /// # Returns
    /// What the closure gave, to the last bit; in .json tensors have become arrays.
    ///
    /// # Errors
    /// When the folder does not exist, the file is there and not of this kind, the file cannot have what the settings
    /// or the closure give (for .json see `io::write`), and as the closure.
    ///
    /// # Example
    /// ```rhai
    /// // let row = step("tau.json", #{ tau: 0.5, seed: 1, steps: 20_000 }, || train_and_measure(0.5, 1));
    /// // let x = step("paths.safetensors", #{ steps: 9000 }, || simulate(p, x0, #{ steps: 9000, seed: 1 }).x);
    /// assert_fails(|| step("tau.npy", #{ tau: 0.5 }, || 1), "must end in .json or .safetensors");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn step(ctx: NativeCallContext, file: &str, settings: Map, compute: FnPtr) -> Outcome<Dynamic> {
        let (path, host) = (Path::new(file), host(&ctx));
        let format = Format::of(file).raise(&ctx)?;
        // As they will be read, to be compared: before the work, since JSON may not have them.
        let settings = json::write(&ctx, "settings", &settings.into(), &host).raise(&ctx)?;
        if host.has_file(path).raise(&ctx)? {
            let bytes = host.peek(path).raise(&ctx)?;
            let (kept, value) = format.decode(path, &bytes).raise(&ctx)?;
            let given = json::read(&settings).expect("just written");
            if ctx.call_native_fn::<bool>("==", (kept, given))? && is_current(&ctx, file)? {
                host.take(path, &bytes).raise(&ctx)?;
                return Ok(value);
            }
        }
        host.check_writable(path).raise(&ctx)?;
        let value = compute.call_raw(&ctx, None, [])?;
        // What was stopped half way is no result.
        task(&ctx).check().raise(&ctx)?;
        let bytes = format.encode(&ctx, &settings, value)?;
        host.write_bytes(path, &bytes).raise(&ctx)?;
        format.decode(path, &bytes).map(|(_, value)| value).raise(&ctx)
    }
}

/// Whether what the run that wrote a file had read is as it was, as far as that is known; says what has changed, or
/// cannot be looked at.
fn is_current(ctx: &NativeCallContext, file: &str) -> Outcome<bool> {
    let Changes { changed, unknown } = host(ctx).changed_inputs(Path::new(file)).raise(ctx)?;
    let is_current = changed.is_empty();
    let names = |names: &[String]| names.join("`, `");
    if !is_current {
        let changed = names(&changed);
        task(ctx).note(&format!("step: `{file}` is computed again, since `{changed}` has changed"));
    } else if !unknown.is_empty() {
        let unknown = names(&unknown);
        task(ctx).note(&format!("step: `{file}` is taken as it is; whether `{unknown}` has changed is not known"));
    }
    Ok(is_current)
}

/// In which a result is kept.
#[derive(Clone, Copy)]
enum Format {
    Json,
    /// A tensor, or a map of tensors.
    Tensors,
}

/// Key of the metadata of tensors.
const KEY: &str = "step of tumble";
/// The name of a tensor that is no entry of a map; no entry of a map begins like this.
const ALONE: &str = "tensor";
/// What the name of an entry of a map begins with.
const ENTRY: &str = "entry ";

impl Format {
    fn of(file: &str) -> Result<Self> {
        match Path::new(file).extension().map(|ending| ending.to_string_lossy().to_lowercase()).as_deref() {
            Some("json") => Ok(Self::Json),
            Some("safetensors") => Ok(Self::Tensors),
            _ => Err(Error::argument("file", format!("must end in .json or .safetensors, got \"{file}\""))),
        }
    }

    /// The settings and the value in a file of these bytes.
    fn decode(self, path: &Path, bytes: &[u8]) -> Result<(Dynamic, Dynamic)> {
        let refuse = |problem: &str| {
            Error::file("use", path, format!("it {problem}")).with_hint("give another name, or remove the file")
        };
        match self {
            Self::Json => {
                let text = str::from_utf8(bytes).map_err(|_| refuse("is not a UTF-8 text file"))?;
                let kept = json::read(text).map_err(|problem| Error::file("read", path, problem))?;
                let kept = kept.try_cast::<Map>().filter(|kept| kept.keys().eq(["settings", "value"]));
                let mut kept = kept.ok_or_else(|| refuse("holds no result of a step"))?;
                let mut take = |name: &str| kept.remove(name).expect("checked above");
                Ok((take("settings"), take("value")))
            }
            Self::Tensors => {
                let (settings, mut tensors) = archive::decode(KEY, bytes).map_err(|problem| refuse(&problem))?;
                let settings = json::read(&settings).map_err(|problem| refuse(&problem))?;
                if tensors.len() == 1 && tensors[0].0 == ALONE {
                    return Ok((settings, Dynamic::from(tensors.remove(0).1)));
                }
                let entry = |(name, tensor): (String, Tensor)| {
                    (name.strip_prefix(ENTRY).unwrap_or(&name).into(), Dynamic::from(tensor))
                };
                Ok((settings, tensors.into_iter().map(entry).collect::<Map>().into()))
            }
        }
    }

    fn encode(self, ctx: &NativeCallContext, settings: &str, value: Dynamic) -> Outcome<Vec<u8>> {
        match self {
            Self::Json => {
                let settings = json::read(settings).expect("just written");
                let kept: Map = [("settings".into(), settings), ("value".into(), value)].into();
                json::write(ctx, "", &kept.into(), &host(ctx)).map(String::into_bytes).raise(ctx)
            }
            Self::Tensors => {
                let mut tensors = Vec::new();
                match value.read_lock::<Map>() {
                    None => tensors.push((ALONE.to_owned(), tensor_argument(ctx, "value", &value)?)),
                    Some(map) => {
                        for (name, value) in map.iter() {
                            tensors.push((format!("{ENTRY}{name}"), tensor_argument(ctx, name, value)?));
                        }
                    }
                }
                archive::encode(KEY, settings, &tensors).raise(ctx)
            }
        }
    }
}
