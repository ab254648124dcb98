//! The other side's certificate: whether it lets somebody in, and why not.

use std::sync::{Arc, OnceLock};

use openssl::nid::Nid;
use openssl::ssl::{SslRef, SslVerifyMode};
use openssl::x509::{X509Ref, X509StoreContextRef, X509VerifyResult};

use super::broken::Broken;

/// Which clients are let in, of those whose certificates the authority signed; all of them where
/// nobody is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Common names of subjects.
    pub common_names: Vec<String>,
    /// DNS names among the alternative names of subjects, in upper or lower case.
    pub hostnames: Vec<String>,
}

impl Allowed {
    /// Whether everybody is let in whom the authority knows.
    pub fn is_everybody(&self) -> bool {
        self.common_names.is_empty() && self.hostnames.is_empty()
    }

    fn allows(&self, certificate: &X509Ref) -> bool {
        let hostname = |name: &String| self.hostnames.iter().any(|h| h.eq_ignore_ascii_case(name));
        self.is_everybody()
            || common_names(certificate).iter().any(|name| self.common_names.contains(name))
            || hostnames(certificate).iter().any(hostname)
    }
}

fn common_names(certificate: &X509Ref) -> Vec<String> {
    let entries = certificate.subject_name().entries_by_nid(Nid::COMMONNAME);
    entries.filter_map(|entry| entry.data().to_string().ok()).collect()
}

fn hostnames(certificate: &X509Ref) -> Vec<String> {
    let names = certificate.subject_alt_names();
    let dns = names.iter().flatten().filter_map(|name| name.dnsname());
    dns.map(str::to_owned).collect()
}

/// A certificate's names, as a log shows them.
pub(super) fn names(certificate: &X509Ref) -> String {
    let common = common_names(certificate).into_iter().map(|name| format!("CN={name}"));
    let dns = hostnames(certificate).into_iter().map(|name| format!("DNS:{name}"));
    let all = common.chain(dns).collect::<Vec<_>>().join(", ");
    all.escape_debug().to_string()
}

/// Why a connection's certificate was refused, once it was.
#[derive(Clone, Default)]
pub(super) struct Verdict(Arc<OnceLock<String>>);

impl Verdict {
    /// Looks at the certificate that the other side will show.
    pub(super) fn over(ssl: &mut SslRef, mode: SslVerifyMode, allowed: Arc<Allowed>) -> Self {
        let verdict = Self::default();
        let judge = verdict.clone();
        ssl.set_verify_callback(mode, move |is_valid, chain| {
            judge.verify(is_valid, chain, &allowed)
        });
        verdict
    }

    fn verify(&self, is_valid: bool, chain: &mut X509StoreContextRef, allowed: &Allowed) -> bool {
        let certificate = chain.current_cert();
        let shown = certificate.map(names).unwrap_or_default();
        let is_own = chain.error_depth() == 0;
        if !is_valid {
            self.refuse(format!("its certificate ({shown}): {}", chain.error().error_string()));
            return false;
        }
        if is_own && !certificate.is_some_and(|certificate| allowed.allows(certificate)) {
            self.refuse(format!(
                "its certificate ({shown}) is right, but has no name that client_cert_allowed_cn \
                 or client_cert_allowed_hostname lets in"
            ));
            chain.set_error(X509VerifyResult::APPLICATION_VERIFICATION);
            return false;
        }
        true
    }

    fn refuse(&self, why: String) {
        // The first reason is the one to mend.
        let _known = self.0.set(why);
    }

    /// What is said of a connection that did not come about.
    pub(super) fn or(&self, broken: Broken) -> Broken {
        match self.0.get() {
            Some(why) => Broken::Unproven(why.clone()),
            None => broken,
        }
    }
}
