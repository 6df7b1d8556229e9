//! The command line: one file per command, prompts, exit codes, hints; the only room that prints.
