//! The Web API of Dynamics 365 / Dataverse: requests, paging, batches, errors, impersonation.
