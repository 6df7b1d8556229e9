//! `ui`: the page on this machine, asked as a browser asks and as nobody should.

mod answers;
mod browser;
mod driving;
mod form;
mod guards;
mod rollout;
mod user_list;
