# Makes a task of the Windows Task Scheduler that runs check.ps1 every hour. Run once, as an administrator.
# The account is the one whose configuration file and key are used: a group managed service account
# (CONTOSO\svc-syncfilters$) has no password to look after.
#
# Try first, as that account:
#   syncfilters check inactive --environment contoso
$action = New-ScheduledTaskAction -Execute 'powershell.exe' `
    -Argument '-NoProfile -ExecutionPolicy RemoteSigned -File "C:\Program Files\syncfilters\check.ps1" -Environment contoso'
$trigger = New-ScheduledTaskTrigger -Once -At '00:17' -RepetitionInterval (New-TimeSpan -Hours 1)
$principal = New-ScheduledTaskPrincipal -UserId 'CONTOSO\svc-syncfilters$' -LogonType Password
# One check at a time, none that hangs, and the one that was missed while the machine was off.
$settings = New-ScheduledTaskSettingsSet -MultipleInstances IgnoreNew -StartWhenAvailable `
    -ExecutionTimeLimit (New-TimeSpan -Hours 2)
Register-ScheduledTask -TaskName 'syncfilters check' -Action $action -Trigger $trigger `
    -Principal $principal -Settings $settings
