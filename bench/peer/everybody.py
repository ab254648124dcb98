"""A paste filter in the place of keystonemiddleware's: everybody is an administrator."""

ADMIN = {
    "HTTP_X_USER_ID": "admin",
    "HTTP_X_PROJECT_ID": "admin",
    "HTTP_X_ROLES": "admin,member,reader",
    "HTTP_X_IDENTITY_STATUS": "Confirmed",
}


def is_admin(_global_configuration, **_configuration):
    return lambda application: lambda environ, answer: application(environ | ADMIN, answer)
