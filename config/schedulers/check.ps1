# Checks that appointment synchronisation is still off for everybody, and sends a mail where it is not.
# For the Windows Task Scheduler (see register-task.ps1), in Windows PowerShell 5.1 and in PowerShell 7.
# This file is ASCII: 5.1 reads others in the code page of the system.
#
# Needs: syncfilters.exe in the PATH, a mail relay, and an environment in the configuration file that signs in
# without a person (config\online-certificate.toml, config\online-secret.toml, config\azure.toml).
param(
    [string]$Environment = 'contoso',
    [string]$MailTo = 'crm-operations@contoso.example',
    [string]$MailFrom = 'syncfilters@contoso.example',
    [string]$Relay = 'smtp.contoso.example'
)

# syncfilters writes UTF-8, which 5.1 reads in the code page of the console; there may be no console.
try { [Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false } catch { }
# 5.1 makes an error of every line on standard error, and 'Stop' would end the script at the first.
$ErrorActionPreference = 'Continue'

# Of both outputs the text alone. Standard error has the finding in one sentence, and the error where there is one.
function Get-Text {
    process { if ($_ -is [System.Management.Automation.ErrorRecord]) { $_.Exception.Message } else { "$_" } }
}

try {
    $found = syncfilters check inactive --environment $Environment --no-progress 2>&1 | Get-Text | Out-String
    # To put it right at once instead, within the limits, and mail what was done:
    # $found = syncfilters check inactive --fix --environment $Environment --accept-calendar-loss --max-changes 20 --no-progress 2>&1 | Get-Text | Out-String
    $code = $LASTEXITCODE
} catch {
    # It could not be started. Without a number `exit` would say that all is well.
    $found = "$_"
    $code = 1
}

$subject = switch ($code) {
    0 { $null }                                               # everything is as it should be
    3 { 'some users could not be read or changed' }           # who and why is in the mail
    10 { 'filters are active that should not be' }            # who changed them and when is in the mail
    default { "the check failed with exit code $code" }       # 1 not started, 2 configuration, 4 sign-in, 5 refused by a limit, 6 stopped
}
if ($subject) {
    # Microsoft calls Send-MailMessage obsolete because it cannot be sure of TLS; for a relay of your own it does.
    Send-MailMessage -To $MailTo -From $MailFrom -SmtpServer $Relay -Encoding UTF8 `
        -Subject "syncfilters: ${Environment}: $subject" -Body $found
}
exit $code
