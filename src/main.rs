//! The `tumble` command.

mod cli;
mod repl;

#[global_allocator]
static ALLOCATOR: tumble::host::CountingAllocator = tumble::host::CountingAllocator;

fn main() -> std::process::ExitCode {
    cli::main(repl::start, repl::commands)
}
