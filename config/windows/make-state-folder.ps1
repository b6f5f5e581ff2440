<#
.SYNOPSIS
Makes the state folder of probe, with a folder for secrets in it, for one account, SYSTEM and Administrators alone.

.DESCRIPTION
The account that runs probe gets full control, so do SYSTEM and the local Administrators; nobody else gets anything, and nothing is
inherited from the folder above. A new folder has this access list from its first moment. A folder that is there already is taken only if
it belongs to one of the three: anybody may make a folder in ProgramData, and whoever owns one can always read what is in it.
It may be run again. It needs an elevated PowerShell, 5.1 or newer.

.PARAMETER Account
The account that runs probe: CONTOSO\svc-probe$ for a gMSA.

.PARAMETER Path
The folder. Where it is another than C:\ProgramData\probe, name it in the environment variable PROBE_STATE_DIR.

.EXAMPLE
.\make-state-folder.ps1 -Account 'CONTOSO\svc-probe$'
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)] [string] $Account,
    [string] $Path = (Join-Path $env:ProgramData 'probe')
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

# By SID: the names differ with the language of Windows.
$runs = (New-Object Security.Principal.NTAccount $Account).Translate([Security.Principal.SecurityIdentifier])
$system = New-Object Security.Principal.SecurityIdentifier 'S-1-5-18'
$administrators = New-Object Security.Principal.SecurityIdentifier 'S-1-5-32-544'
$trusted = @($runs, $system, $administrators)

$access = New-Object Security.AccessControl.DirectorySecurity
$access.SetAccessRuleProtection($true, $false)
foreach ($who in $trusted) {
    $access.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule $who, 'FullControl', 'ContainerInherit, ObjectInherit', 'None', 'Allow'))
}

foreach ($folder in @($Path, (Join-Path $Path 'secrets'))) {
    $found = Get-Item -LiteralPath $folder -Force -ErrorAction SilentlyContinue
    if ($null -eq $found) {
        if ($PSVersionTable.PSEdition -eq 'Core') {
            [IO.FileSystemAclExtensions]::CreateDirectory($access, $folder) | Out-Null
        } else {
            [IO.Directory]::CreateDirectory($folder, $access) | Out-Null
        }
    } else {
        if (-not $found.PSIsContainer -or ($found.Attributes -band [IO.FileAttributes]::ReparsePoint)) {
            throw "$folder is a file or a link, and not a folder. Nothing was changed."
        }
        $owner = (Get-Acl -LiteralPath $folder).GetOwner([Security.Principal.SecurityIdentifier])
        if ($trusted -notcontains $owner) {
            throw "$folder belongs to $owner. Find out who made it and why, remove it, and run this again. Nothing was changed."
        }
        Set-Acl -LiteralPath $folder -AclObject $access
    }
    $others = @((Get-Acl -LiteralPath $folder).GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier]) |
        Where-Object { $trusted -notcontains $_.IdentityReference })
    if ($others.Count -gt 0) {
        throw "$folder can still be used by $($others[0].IdentityReference)."
    }
    Write-Output "${folder}: for $Account, SYSTEM and Administrators alone"
}
