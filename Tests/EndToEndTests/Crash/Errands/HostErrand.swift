/// Work that there is on hosts alone, on the one of a `HostSite`.
protocol HostErrand: Errand {
    var site: HostSite { get }
}

extension HostErrand {
    var crash: CrashSite { site.crash }
    var town: any Town { site.town }
    var asset: String { site.direct }
}
