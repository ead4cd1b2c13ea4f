package session

import (
	"bytes"
	"context"
	"sync"
)

// Memory is a Store in this process: its sessions end with it.
type Memory struct {
	mu      sync.RWMutex
	byID    map[string]Session // guarded by mu
	byLogin map[string]string  // ids, guarded by mu
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{byID: map[string]Session{}, byLogin: map[string]string{}}
}

// Get implements Store.
func (m *Memory) Get(_ context.Context, id string) (Session, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.getLocked(id)
}

// ByLogin implements Store.
func (m *Memory) ByLogin(_ context.Context, login string) (Session, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.getLocked(m.byLogin[login])
}

func (m *Memory) getLocked(id string) (Session, error) {
	s, known := m.byID[id]
	if !known {
		return Session{}, ErrNotFound
	}
	return s, nil
}

// Put implements Store.
func (m *Memory) Put(_ context.Context, s Session) error {
	s.Proof = bytes.Clone(s.Proof)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deleteLocked(s.ID)
	m.deleteLocked(m.byLogin[s.Login])
	m.byID[s.ID] = s
	m.byLogin[s.Login] = s.ID
	return nil
}

// Delete implements Store.
func (m *Memory) Delete(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deleteLocked(id)
	return nil
}

func (m *Memory) deleteLocked(id string) {
	s, known := m.byID[id]
	if !known {
		return
	}
	delete(m.byID, id)
	delete(m.byLogin, s.Login)
}

// Len implements Store.
func (m *Memory) Len(context.Context) (int, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.byID), nil
}
