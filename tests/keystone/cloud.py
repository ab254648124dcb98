"""What the tests need of a real Keystone: a region, projects and users of their own."""

import openstack
import requests

import service
from keystone.door import Door
from service import unique


def at(images, token, **headers):
    """A session with a token at one of several image services."""
    session = service.Api(images.url, token)
    session.headers.update(headers)
    return session


class Account(service.Account):
    """Somebody whom the real Keystone knows."""

    def __init__(self, cloud, username, password, project):
        self.cloud = cloud
        self.auth = {
            "auth_url": cloud.url,
            "username": username,
            "password": password,
            "project_name": project,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }

    @property
    def environment(self):
        return super().environment | {"OS_REGION_NAME": self.cloud.region}

    def sdk(self):
        # A Keystone that closes connections behind its answers resets those that come too late.
        return openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            auth=self.auth,
            identity_connect_retries=3,
        )

    def at(self, images):
        """A session with a new token."""
        return at(images, self.token())


class Cloud:
    """What the tests need of Keystone: made at their start, removed at their end."""

    def __init__(self, url, password):
        self.url = url
        self.region = unique("region")
        self.door = Door(url)
        self.removals = []
        self.admin = Account(self, "admin", password, "admin")
        self.sdk = self.admin.sdk().identity
        self.sdk.create_region(id=self.region)
        self.later(self.sdk.delete_region, self.region)
        self.project = self._project()
        self.elsewhere = self._project()
        self.member = self._account(self.project, "member")
        self.reader = self._account(self.project, "reader")
        self.other = self._account(self.elsewhere, "member")
        self.glance = self._account(self._project(), "service")
        identity = next(self.sdk.services(type="identity"))
        self._endpoint(identity, "public", url)
        self._endpoint(identity, "internal", self.door.url)

    def serve_images_at(self, url):
        """What the catalog says of the image service in the region of these tests."""
        self._serve("image", "glance", url)

    def serve_objects_at(self, url):
        """What it says of the object store; `%(project_id)s` in the URL is the caller's project."""
        self._serve("object-store", "swift", url)

    def _serve(self, type, name, url):
        service = next(self.sdk.services(type=type), None)
        if service is None:
            service = self.sdk.create_service(type=type, name=name)
            self.later(self.sdk.delete_service, service)
        self._endpoint(service, "public", url)

    def config(self, path, flavor="keystone", default="", more="", policy="", **options):
        """A glance-api.conf of this cloud; `options` are those of [keystone_authtoken]."""
        auth = self.glance.auth | {
            "auth_url": self.door.url,
            "auth_type": "password",
            "www_authenticate_uri": self.url,
            "region_name": self.region,
            "http_request_max_retries": 0,
        }
        lines = [f"{name} = {value}" for name, value in (auth | options).items()]
        text = ["[DEFAULT]", default, "[paste_deploy]", f"flavor = {flavor}"]
        path.write_text("\n".join([*text, "[keystone_authtoken]", *lines, more, ""]))
        return path

    def credential(self, account, **fields):
        """An application credential. Keystone over SQLite forgets no roles of those that go with
        their user, so it goes before."""
        sdk = account.sdk().identity
        made = sdk.create_application_credential(account.user_id, unique("credential"), **fields)
        self.later(sdk.delete_application_credential, account.user_id, made)
        return made

    def newcomer(self):
        """A member of a new project, with the two records that Keystone has of them."""
        project = self._project()
        account = self._account(project, "member")
        return account, account.user_id, project

    def token(self, account, **scope):
        """A token of another scope than a project's: `system={"all": True}`, `domain={…}`."""
        user = {"name": account.auth["username"], "password": account.auth["password"]}
        password = {"user": user | {"domain": {"name": account.auth["user_domain_name"]}}}
        return self._token(identity={"methods": ["password"], "password": password}, scope=scope)

    def token_of(self, credential):
        """A token that an application credential gets."""
        secret = {"id": credential.id, "secret": credential.secret}
        method = "application_credential"
        return self._token(identity={"methods": [method], method: secret})

    def _token(self, **auth):
        answer = requests.post(f"{self.url}/auth/tokens", json={"auth": auth}, timeout=30)
        answer.raise_for_status()
        return answer.headers["X-Subject-Token"]

    def remove(self):
        for what, *which in reversed(self.removals):
            what(*which)

    def _project(self):
        project = self.sdk.create_project(name=unique("project"), domain_id="default")
        self.later(self.sdk.delete_project, project)
        return project

    def _account(self, project, role):
        name, password = unique(role), unique("password")
        user = self.sdk.create_user(name=name, password=password, domain_id="default")
        self.later(self.sdk.delete_user, user)
        found = self.sdk.find_role(role, ignore_missing=False)
        self.sdk.assign_project_role_to_user(project, user, found)
        account = Account(self, name, password, project.name)
        account.project_id, account.user_id = project.id, user.id
        return account

    def _endpoint(self, service, interface, url):
        endpoint = self.sdk.create_endpoint(
            service_id=service.id, interface=interface, url=url, region_id=self.region
        )
        self.later(self.sdk.delete_endpoint, endpoint)

    def later(self, *removal):
        """Something that is undone when the tests are over, last come first."""
        self.removals.append(removal)
