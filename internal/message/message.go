// Package message holds every text that operators read at run time: log
// messages, alerts, statuses, steps and the explanations of rejects. They are
// in French, as the people who operate the system are; a second language is a
// second set of the same names. One file a subject.
package message
