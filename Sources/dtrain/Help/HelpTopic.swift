import Words

/// What `dtrain help` explains besides commands.
enum HelpTopic: String, CaseIterable {
    case settings
    case exitCodes = "exit-codes"
    case manual

    /// The topic that a command line asks for, and whether as Markdown.
    static func asked(by arguments: [String]) throws(Failure) -> (topic: HelpTopic, markdown: Bool)?
    {
        guard arguments.count >= 2, arguments[0] == "help",
            let topic = HelpTopic(rawValue: arguments[1])
        else { return nil }
        let rest = arguments.dropFirst(2)
        if topic == .manual, !rest.isEmpty {
            throw .usage(.topicAlone(topic.rawValue))
        }
        guard rest.isEmpty || rest == ["--markdown"] else {
            throw .usage(.topicForm(topic.rawValue))
        }
        return (topic, !rest.isEmpty)
    }

    func page(markdown: Bool) -> String {
        switch (self, markdown) {
        case (.settings, true): SettingsPage.markdown
        case (.settings, false): SettingsPage.text
        case (.exitCodes, true): ExitCodesPage.markdown
        case (.exitCodes, false): ExitCodesPage.text
        case (.manual, _): ManualPage.text
        }
    }
}
