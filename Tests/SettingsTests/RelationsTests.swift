import Settings
import Testing

@Suite("Relations between settings")
struct RelationsTests {
    @Test func `rivals are rivals both ways, and neither is its own`() {
        let pairs = Setting.allCases.flatMap { one in one.row.rivals.map { (one, $0) } }
        #expect(pairs.count >= 10)
        for (one, other) in pairs {
            #expect(other.row.rivals.contains(one) && one != other, "\(one.flag) \(other.flag)")
        }
    }

    @Test(arguments: Setting.allCases.filter { !$0.row.rivals.isEmpty })
    func `whichever of two rivals is given first, both are named`(setting: Setting) throws {
        for rival in setting.row.rivals {
            var given = GivenSettings()
            for one in [setting, rival] { given.set(one, one.example) }
            let error = #expect(throws: ConfigurationError.self) { try RunConfiguration(given) }
            guard case .incompatible(let first, let second) = error else {
                // Without its companion a setting cannot be judged.
                #expect(setting.row.needs != nil || rival.row.needs != nil, "\(error!)")
                continue
            }
            #expect(Set([first, second]) == Set([setting, rival]))
        }
    }

    @Test(arguments: Setting.allCases.filter { !$0.row.rivals.isEmpty })
    func `what is given in a layer above takes the place of a rival below`(
        setting: Setting
    ) throws {
        for rival in setting.row.rivals {
            var (above, below) = (GivenSettings(), GivenSettings())
            above.set(setting, setting.example)
            below.set(rival, rival.example)
            let both = above.over(below)
            #expect(both.text(rival) == nil && both.text(setting) == setting.example)
        }
    }

    @Test func `what would take the place of a number of the run is refused on --resume`() throws {
        let run = try RunConfiguration(flags([(.vocabulary, "300")]))
        #expect(throws: ConfigurationError.self) {
            try run.resumed(with: flags([(.tokenizer, "/x.model")]), in: "r")
        }
        let other = try RunConfiguration(flags([(.tokenizer, "/x.model")]))
        let moved = try other.resumed(with: flags([(.tokenizer, "/y.model")]), in: "r")
        #expect(moved.text(.tokenizer) == "/y.model" && moved.text(.vocabulary) == nil)
    }
}

extension Setting {
    /// A value that it may have and that is not its default.
    fileprivate var example: String {
        switch row.kind {
        case .flag: "true"
        case .path: "/x"
        default: "77"
        }
    }
}
