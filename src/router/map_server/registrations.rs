//! The registrations of one EID prefix.

use super::Registration;

/// The registrations of a prefix, sorted by xTR-ID. A prefix nearly always has one registration and
/// never many. There is one list for each prefix, so the list is a vector of exactly the needed
/// size.
#[derive(Clone, Debug, Default)]
pub struct Registrations(Vec<Registration>);

impl Registrations {
    fn place(&self, xtr_id: u128) -> Result<usize, usize> {
        self.0.binary_search_by_key(&xtr_id, |registration| registration.xtr_id)
    }

    /// The registration of one xTR.
    pub fn get(&self, xtr_id: u128) -> Option<&Registration> {
        self.place(xtr_id).ok().map(|at| &self.0[at])
    }

    /// All registrations, in the order of their xTR-IDs.
    pub fn iter(&self) -> std::slice::Iter<'_, Registration> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Registration> {
        self.0.iter_mut()
    }

    /// The number of registrations. Each xTR has one.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no registration.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a registration. Returns the previous registration of the same xTR.
    pub(super) fn insert(&mut self, registration: Registration) -> Option<Registration> {
        match self.place(registration.xtr_id) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at], registration)),
            Err(at) => {
                self.0.reserve_exact(1);
                self.0.insert(at, registration);
                None
            }
        }
    }

    pub(super) fn remove(&mut self, xtr_id: u128) -> Option<Registration> {
        self.place(xtr_id).ok().map(|at| self.0.remove(at))
    }

    /// Removes and returns the registrations for which `taken` is true.
    pub(super) fn take_if(
        &mut self,
        taken: impl FnMut(&mut Registration) -> bool,
    ) -> Vec<Registration> {
        self.0.extract_if(.., taken).collect()
    }
}
