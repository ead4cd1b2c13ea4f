package session

import (
	"bytes"
	"context"
	"maps"
	"sync"
	"time"
)

// Memory is a Store in this process: its sessions end with it.
type Memory struct {
	mu      sync.RWMutex
	byID    map[string]kept   // guarded by mu
	byLogin map[string]string // ids, guarded by mu
}

// kept is a session and when its life is over, the zero time if never.
type kept struct {
	Session
	until time.Time
}

func (k kept) lives() bool { return k.until.IsZero() || time.Now().Before(k.until) }

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{byID: map[string]kept{}, byLogin: map[string]string{}}
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
	if !known || !s.lives() {
		return Session{}, ErrNotFound
	}
	return s.Session, nil
}

// Put implements Store.
func (m *Memory) Put(_ context.Context, s Session, life time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.putLocked(s, life)
	return nil
}

func (m *Memory) putLocked(s Session, life time.Duration) {
	m.deleteLocked(m.byLogin[s.Login])
	m.byID[s.ID] = kept{clone(s), end(life)}
	m.byLogin[s.Login] = s.ID
}

// Create implements Store.
func (m *Memory) Create(_ context.Context, s Session, life time.Duration) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	other, err := m.getLocked(m.byLogin[s.Login])
	if err == nil {
		return other, nil
	}
	m.putLocked(s, life)
	return s, nil
}

// Update implements Store.
func (m *Memory) Update(_ context.Context, id string, change func(*Session)) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, err := m.getLocked(id)
	if err != nil {
		return Session{}, err
	}
	is := clone(was)
	is.Now = time.Now().UnixMilli()
	change(&is)
	is.Now = 0
	m.byID[id] = kept{clone(is), m.byID[id].until}
	return is, nil
}

// Touch implements Store.
func (m *Memory) Touch(_ context.Context, id string, life time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.getLocked(id)
	if err != nil {
		return err
	}
	m.byID[id] = kept{s, end(life)}
	return nil
}

// Expire implements Store.
func (m *Memory) Expire(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, known := m.byID[id]
	if !known || s.lives() {
		return false, nil
	}
	m.deleteLocked(id)
	return true, nil
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

// clone returns a copy that shares nothing with s which anybody changes.
func clone(s Session) Session {
	s.Proof, s.Upstreams = bytes.Clone(s.Proof), maps.Clone(s.Upstreams)
	s.Catalogues, s.Access, s.Wishes, s.Asked = maps.Clone(s.Catalogues), maps.Clone(s.Access), maps.Clone(s.Wishes), maps.Clone(s.Asked)
	return s
}

// end returns when a life is over that begins now.
func end(life time.Duration) time.Time {
	if life == 0 {
		return time.Time{}
	}
	return time.Now().Add(life)
}
