//! The login of a user over the network, as on IOS: the user has three tries to enter the password.

use subtle::ConstantTimeEq;

/// The prompt for the password.
pub const PROMPT: &str = "Password: ";
/// The text before the first prompt.
pub const BANNER: &str = "\n\nUser Access Verification\n\n";
/// After this number of wrong passwords, the session ends.
const TRIES: u8 = 3;

/// A login that is not complete.
#[derive(Clone, Debug)]
pub struct Login {
    password: String,
    wrong: u8,
}

/// The result after the user has typed a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The password is right.
    Welcome,
    /// The password is wrong, and the user may try again.
    Again,
    /// The password is wrong, and the session ends.
    Refused,
}

impl Login {
    /// Begins the login of a user. The user must type `password`.
    pub fn new(password: &str) -> Self {
        Login { password: password.to_owned(), wrong: 0 }
    }

    /// Checks the password that the user typed.
    pub fn try_password(&mut self, typed: &str) -> Answer {
        if self.password.as_bytes().ct_eq(typed.as_bytes()).into() {
            return Answer::Welcome;
        }
        self.wrong = self.wrong.saturating_add(1);
        match self.wrong < TRIES {
            true => Answer::Again,
            false => Answer::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_three_tries() {
        let mut login = Login::new("cisco");
        for (typed, answer) in
            [("", Answer::Again), ("cisc", Answer::Again), ("cisco2", Answer::Refused)]
        {
            assert_eq!(login.try_password(typed), answer);
        }
        assert_eq!(Login::new("cisco").try_password("cisco"), Answer::Welcome);
    }
}
