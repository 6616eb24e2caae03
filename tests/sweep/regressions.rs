//! Plans that once violated a claim, as small as they could be made.
