//! How agents of management and monitoring know a machine.

use super::{Cleaning, Operation};
use crate::Result;

/// Keys, certificates, identifiers and caches of one machine; configuration stays.
const FILES: &[&str] = &[
    "/var/lib/puppet/ssl/*",
    "/var/lib/puppet/state/*",
    "/etc/puppetlabs/puppet/ssl/*",
    "/opt/puppetlabs/puppet/cache/*",
    "/etc/salt/pki/minion/*",
    "/etc/salt/minion_id",
    "/var/cache/salt/minion/*",
    "/etc/chef/client.pem",
    "/etc/chef/validation.pem",
    "/var/chef/cache/*",
    "/etc/zabbix/*.psk",
    "/var/lib/zabbix/*.psk",
    "/etc/datadog-agent/auth_token",
    "/opt/datadog-agent/run/*",
    "/var/lib/cloudwatch/*",
    "/var/lib/amazon/ssm/registration",
    "/var/lib/amazon/ssm/i-*",
    "/var/lib/waagent/*",
    "/var/lib/google/*",
    "/var/lib/landscape/client/*",
    "/var/lib/ubuntu-advantage/private/*",
    "/etc/insights-client/machine-id",
    "/etc/insights-client/.registered",
    "/etc/insights-client/.unregistered",
    "/etc/cfengine/ppkeys/*",
    "/var/cfengine/ppkeys/*",
    "/var/lib/consul/node-id",
    "/var/lib/tailscale/*",
    "/var/lib/teleport/*",
    "/var/lib/osquery/*",
    "/var/lib/rancher/agent/*",
    "/var/lib/kubelet/pki/*",
    "/etc/kubernetes/pki/*",
    "/etc/kubernetes/*.conf",
    "/var/lib/netdata/registry/*",
    "/var/lib/smolt/uuid",
    "/etc/smolt/smolt-uuid",
    "/var/lib/docker/engine-id",
    "/var/lib/snapd/cookie/*",
];

/// See [`Operation::summary`].
pub(crate) struct AgentIdentities;

impl Operation for AgentIdentities {
    fn name(&self) -> &'static str {
        "agent_identities"
    }

    fn summary(&self) -> &'static str {
        "Remove identities of configuration, monitoring and cloud agents"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
