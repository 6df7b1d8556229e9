//! An imitation of the Web API to rehearse and test against; it shares no code with the client.
