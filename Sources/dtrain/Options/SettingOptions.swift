import ArgumentParser
import Settings

/// Which settings a command takes, in the order of its help.
protocol SettingList {
    static var settings: [Setting] { get }
}

/// Options for settings, made from their rows of the table.
///
/// The parser finds a command's options by reflection and decodes them by name; both are answered here
/// for as many as the table has.
struct SettingOptions<List: SettingList>: ParsableArguments, CustomReflectable {
    private enum Argument {
        case option(Option<String?>)
        case flag(Flag<Bool>)
        case negatable(Flag<Bool?>)

        init(_ row: SettingRow) {
            let name = NameSpecification.customLong(row.setting.rawValue)
            let help = ArgumentHelp(row.helpWithDefault, valueName: row.placeholder)
            switch row.kind {
            case .flag(negatable: false):
                self = .flag(Flag(wrappedValue: false, name: name, help: help))
            case .flag(negatable: true):
                self = .negatable(Flag(name: name, inversion: .prefixedNo, help: help))
            default:
                self = .option(
                    Option(
                        name: name, parsing: .unconditional, help: help,
                        completion: row.kind.completion))
            }
        }

        func decoded<Key>(
            from values: KeyedDecodingContainer<Key>, _ key: Key
        ) throws -> Argument {
            switch self {
            case .option: .option(try values.decode(Option<String?>.self, forKey: key))
            case .flag: .flag(try values.decode(Flag<Bool>.self, forKey: key))
            case .negatable: .negatable(try values.decode(Flag<Bool?>.self, forKey: key))
            }
        }

        var declaration: Any {
            switch self {
            case .option(let option): option
            case .flag(let flag): flag
            case .negatable(let flag): flag
            }
        }

        var text: String? {
            switch self {
            case .option(let option): option.wrappedValue
            case .flag(let flag): flag.wrappedValue ? "true" : nil
            case .negatable(let flag): flag.wrappedValue.map(String.init)
            }
        }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private var arguments: [(setting: Setting, argument: Argument)]

    init() { arguments = List.settings.map { ($0, Argument($0.row)) } }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: Key.self)
        for index in arguments.indices {
            let (setting, argument) = arguments[index]
            arguments[index].argument = try argument.decoded(
                from: values, Key(stringValue: setting.rawValue))
        }
    }

    var customMirror: Mirror {
        Mirror(
            self,
            children: arguments.map { ($0.setting.rawValue, $0.argument.declaration) })
    }

    /// What was given on the command line.
    var given: GivenSettings {
        var given = GivenSettings()
        for (setting, argument) in arguments { given.set(setting, argument.text) }
        return given
    }
}

extension SettingRow {
    /// `What it does. (default: this)`
    var helpWithDefault: String {
        guard let value = standard ?? setting.defaultText else { return help }
        return "\(help) (default: \(value))"
    }
}

extension ValueKind {
    fileprivate var completion: CompletionKind {
        switch self {
        case .choice(let names): .list(names)
        case .path: .file()
        default: .list([])
        }
    }
}

// MARK: The parts of a run's help

enum TextList: SettingList { static var settings: [Setting] { Setting.of(.text) } }
enum ModelList: SettingList { static var settings: [Setting] { Setting.of(.model) } }
enum TrainingList: SettingList { static var settings: [Setting] { Setting.of(.training) } }
enum ReportingList: SettingList { static var settings: [Setting] { Setting.of(.reporting) } }
enum ClusterList: SettingList { static var settings: [Setting] { Setting.of(.cluster) } }
