//! `ui`: the page on this machine, asked as a browser asks and as nobody should.

mod browser;
mod driving;
mod guards;
mod rollout;
