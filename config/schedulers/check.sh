#!/bin/sh
# Checks that appointment synchronisation is still off for everybody, and sends a mail where it is not.
# For cron (see `crontab`) and systemd (see `syncfilters-check.service`).
#
# Needs: `syncfilters` in the PATH, a working `mail` command, and an environment in the configuration file
# that signs in without a person (config/online-certificate.toml, config/online-secret.toml, config/azure.toml).

ENVIRONMENT=${ENVIRONMENT:-contoso}
MAIL_TO=${MAIL_TO:-crm-operations@contoso.example}

tell() {
  printf '%s\n' "$found" | mail -s "syncfilters: $ENVIRONMENT: $1" "$MAIL_TO"
}

# Standard error has the finding in one sentence, and the error where there is one.
found=$(syncfilters check inactive --environment "$ENVIRONMENT" --no-progress 2>&1)
# To put it right at once instead, within the limits, and mail what was done:
# found=$(syncfilters check inactive --fix --environment "$ENVIRONMENT" --accept-calendar-loss --max-changes 20 --no-progress 2>&1)
# Where the configuration file says `production = true`, that also needs the name:
# found=$(syncfilters check inactive --fix --environment "$ENVIRONMENT" --accept-calendar-loss --confirm-environment contoso --no-progress 2>&1)
code=$?

case $code in
  0) ;;                                                # everything is as it should be
  3) tell 'some users could not be read or changed' ;; # who and why is in the mail
  10) tell 'filters are active that should not be' ;;  # who changed them and when is in the mail
  *) tell "the check failed with exit code $code" ;;   # 2 configuration, 4 sign-in, 5 refused by a limit, 6 stopped
esac
exit "$code"
