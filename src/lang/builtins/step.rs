//! Results of an experiment that are kept.

use std::path::Path;

use rhai::plugin::*;
use rhai::{Dynamic, Engine, FnPtr, Map};

use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::json;
use crate::lang::surroundings::host;

/// Registers the function.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// A part of an experiment that is not computed again where its result is there: what the closure gives is kept in
    /// a .json file with the settings, and a later run with the same settings reads it from there.
    ///
    /// A run that was stopped goes on behind the last part that it finished. What the closure uses besides, such as
    /// other variables or a changed script, is not looked at: put what matters into the settings. Other settings are
    /// computed anew, and replace what the file has.
    ///
    /// # Arguments
    /// - `file`: the .json file, of `#{ settings, value }`
    /// - `settings`: a map of what the result depends on
    /// - `compute`: a closure without parameters
    ///
    /// # Returns
    /// What the closure gave, as JSON has it: tensors have become arrays, other numbers are equal to the last bit.
    ///
    /// # Errors
    /// When the folder does not exist, the file is there and not of this kind, JSON does not have what the settings or
    /// the closure give (see `io::write`), and as the closure.
    ///
    /// # Example
    /// ```rhai
    /// // let row = step("tau.json", #{ tau: 0.5, seed: 1, steps: 20_000 }, || train_and_measure(0.5, 1));
    /// assert_fails(|| step("tau.npy", #{ tau: 0.5 }, || 1), "must end in .json");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn step(ctx: NativeCallContext, file: &str, settings: Map, compute: FnPtr) -> Outcome<Dynamic> {
        let (path, host) = (Path::new(file), host(&ctx));
        if !json::is_json(path) {
            return Err(Error::argument("file", format!("must end in .json, got \"{file}\""))).raise(&ctx);
        }
        // As they will be read, to be compared: before the work, since JSON may not have them.
        let settings = json::write(&ctx, "settings", &settings.into(), &host).raise(&ctx)?;
        let settings = json::read(&settings).expect("just written");
        if host.has_file(path).raise(&ctx)? {
            let kept = json::load(path, &host).raise(&ctx)?;
            let kept = kept.try_cast::<Map>().filter(|kept| kept.keys().eq(["settings", "value"]));
            let Some(mut kept) = kept else {
                let problem = Error::file("use", path, "it holds no result of a step");
                return Err(problem.with_hint("give another name, or remove the file")).raise(&ctx);
            };
            let equal = ctx.call_native_fn::<bool>("==", (kept["settings"].clone(), settings.clone()))?;
            if equal {
                return Ok(kept.remove("value").expect("checked above"));
            }
        }
        host.check_writable(path).raise(&ctx)?;
        let value = compute.call_raw(&ctx, None, [])?;
        let kept: Map = [("settings".into(), settings), ("value".into(), value)].into();
        let text = json::write(&ctx, "", &kept.into(), &host).raise(&ctx)?;
        host.write_bytes(path, text.as_bytes()).raise(&ctx)?;
        let kept = json::read(&text).expect("just written");
        Ok(kept.cast::<Map>().remove("value").expect("just written"))
    }
}
