//! `[keystone_authtoken]`: what Keystone is asked, and whom it makes a service.

use serde_json::Value;

use super::*;

/// The only request for a token that a service makes with these options.
async fn login(options: &str) -> Value {
    let fake = Fake::start().await;
    fake.issue("t", &["member"], 3600);
    assert_eq!(outcome(&fake.configured(options), "t").await, Ok(()), "{options}");
    let mut logins = fake.told().logins.clone();
    assert_eq!(logins.len(), 1, "{options}");
    logins.remove(0)["auth"].take()
}

/// The options of a user that is told by its id.
const USER: &str = "user_id = g\npassword = secret\n";

#[tokio::test]
async fn the_service_is_who_the_options_say() {
    let domain = json!({"id": "d"});
    for (options, user) in [
        (USER, json!({"id": "g"})),
        ("auth_section = login", json!({"id": "g"})),
        (
            "username = glance\nuser_domain_id = d\npassword = secret",
            json!({"name": "glance", "domain": domain}),
        ),
        (
            "user_name = glance\ndefault_domain_id = d\npassword = secret",
            json!({"name": "glance", "domain": domain}),
        ),
        (
            "auth_type = v3password\nusername = glance\nuser_domain_name = D\npassword = secret",
            json!({"name": "glance", "domain": {"name": "D"}}),
        ),
    ] {
        let mut expected = json!({"methods": ["password"], "password": {"user": user}});
        expected["password"]["user"]["password"] = json!("secret");
        assert_eq!(login(options).await, json!({"identity": expected}), "{options}");
    }
}

#[tokio::test]
async fn the_token_is_for_what_the_options_say() {
    let service = json!({"name": "service", "domain": {"name": "D"}});
    for (options, scope) in [
        ("", Value::Null),
        ("project_id = p", json!({"project": {"id": "p"}})),
        ("tenant_id = p", json!({"project": {"id": "p"}})),
        ("project_name = service\nproject_domain_name = D", json!({"project": service})),
        ("tenant_name = service\ndefault_domain_name = D", json!({"project": service})),
        (
            "project_name = service\nproject_domain_id = d",
            json!({"project": {"name": "service", "domain": {"id": "d"}}}),
        ),
        ("domain_id = d", json!({"domain": {"id": "d"}})),
        ("domain_name = D", json!({"domain": {"name": "D"}})),
        ("system_scope = all", json!({"system": {"all": true}})),
    ] {
        assert_eq!(login(&format!("{USER}{options}")).await["scope"], scope, "{options}");
    }
}

#[tokio::test]
async fn an_application_credential_is_named_by_its_id_or_with_its_user() {
    let secret = "auth_type = v3applicationcredential\napplication_credential_secret = secret";
    let user = json!({"name": "glance", "domain": {"id": "d"}});
    for (options, credential) in [
        ("application_credential_id = i", json!({"id": "i", "secret": "secret"})),
        (
            "application_credential_name = c\nuser_id = g",
            json!({"name": "c", "user": {"id": "g"}, "secret": "secret"}),
        ),
        (
            "application_credential_name = c\nusername = glance\nuser_domain_id = d",
            json!({"name": "c", "user": user, "secret": "secret"}),
        ),
    ] {
        let expected = json!({"identity": {
            "methods": ["application_credential"], "application_credential": credential}});
        assert_eq!(login(&format!("{secret}\n{options}")).await, expected, "{options}");
    }
}

#[tokio::test]
async fn clients_are_sent_where_the_options_say() {
    let fake = Fake::start().await;
    for (options, place) in [
        ("", format!("{}/v3", fake.url).as_str()),
        ("auth_uri = https://old", "https://old"),
        ("auth_uri = https://old\nwww_authenticate_uri = https://new", "https://new"),
    ] {
        let keystone = fake.configured(&format!("{USER}{options}"));
        assert_eq!(keystone.identity_url(), place);
    }
}

/// The public endpoint is nowhere; where there is none such, Keystone is where the login is.
#[tokio::test]
async fn tokens_are_validated_at_the_endpoint_that_options_name() {
    let elsewhere = Fake::start().await;
    elsewhere.issue("t", &["member"], 3600);
    elsewhere.told().own.push("own-1".to_owned());
    for (options, expected, validations) in [
        ("", Ok(()), 1),
        ("interface = public", UNAVAILABLE, 0),
        ("interface = admin", REFUSED, 0),
        ("region_name = R", Ok(()), 1),
        ("region_name = S", REFUSED, 0),
    ] {
        let fake = Fake::start().await;
        fake.told().endpoint = elsewhere.url.clone();
        elsewhere.told().validations = 0;
        let keystone = fake.configured(&format!("{USER}{options}"));
        assert_eq!(outcome(&keystone, "t").await, expected, "{options}");
        assert_eq!(elsewhere.told().validations, validations, "{options}");
    }
}

/// One with such a role is one, and its users' tokens may end on the way.
#[tokio::test]
async fn a_service_is_who_has_a_role_that_options_name() {
    let fake = Fake::start().await;
    fake.issue("of-user", &["member"], 3600);
    fake.issue("expired", &["member"], -10);
    fake.issue("of-service", &["service"], 3600);
    fake.issue("of-other", &["other"], 3600);
    for (options, service, is_one, may_expire) in [
        ("", "of-service", true, true),
        ("", "of-other", false, false),
        ("service_token_roles = reader, other", "of-service", false, false),
        ("service_token_roles = reader, other", "of-other", true, true),
        // Any valid token is a service's then, but none outlives its user.
        ("service_token_roles_required = false", "of-other", true, false),
        ("service_token_roles_required = true", "of-other", false, false),
    ] {
        let keystone = fake.configured(&format!("{USER}{options}"));
        let caller = passed_on(&keystone, "of-user", service).await.unwrap();
        assert_eq!(caller.service.is_some(), is_one, "{options} {service}");
        let expired = passed_on(&keystone, "expired", service).await;
        assert_eq!(expired.is_ok(), may_expire, "{options} {service}");
    }
}
