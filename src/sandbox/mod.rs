//! An imitation of the Web API to rehearse and test against; it shares no code with the client.

#[expect(
    dead_code,
    unused_imports,
    reason = "used by the routes of the sandbox"
)]
mod odata;
