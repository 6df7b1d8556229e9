//! An imitation of the Web API to rehearse and test against; it shares no code with the client.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "used by the routes of the sandbox")
)]
#[expect(unused_imports, reason = "used by the routes of the sandbox")]
mod odata;
