//! The `tumble` command.

mod cli;
#[cfg(feature = "jupyter")]
mod jupyter;
mod repl;

#[global_allocator]
static ALLOCATOR: tumble::host::CountingAllocator = tumble::host::CountingAllocator;

fn main() -> std::process::ExitCode {
    cli::main(cli::Above {
        prompt: repl::start,
        commands: repl::commands,
        #[cfg(feature = "jupyter")]
        install: jupyter::install,
        #[cfg(feature = "jupyter")]
        kernel: jupyter::open,
    })
}
